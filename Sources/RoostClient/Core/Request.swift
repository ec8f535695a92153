/// Something that was asked of the server, until it is answered.
struct Request {
  enum Kind: Equatable {
    /// Stored once however often it is sent, because the server knows the id.
    case send
    /// `private` or `chat`: sent twice it arrives twice.
    case direct
    case leave, members, history, refresh
  }

  let id: String
  let kind: Kind
  /// `nil` for what is about no room.
  let room: String?
  let text: [UInt8]
  /// Who waits for the answer; `nil`: nobody any more.
  var ticket: Int?
  /// When it was given to the connection there is; `nil`: it has to be.
  var sentAt: Int64?
  /// Not to be sent before.
  var notBefore: Int64 = 0
  /// It was sent on some connection, so it may have arrived.
  var wasSent = false

  /// The server counts it with the messages of the user.
  var isMessage: Bool { kind == .send || kind == .direct }
  /// Only members may.
  var needsMembership: Bool { kind == .send || kind == .history }
}
