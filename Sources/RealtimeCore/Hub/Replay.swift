public import Buffers

/// A delivered message, as a room remembers it.
public struct PastMessage: Sendable {
  let envelope: RelayEnvelope
  /// The sender's user id, whose own copies carry `client_id`.
  let sender: String
  public let offset: Int

  init(envelope: RelayEnvelope, sender: String, offset: Int) {
    (self.envelope, self.sender, self.offset) = (envelope, sender, offset)
  }

  /// About how many bytes a client gets.
  public var byteCount: Int { envelope.visibleCount + 24 }
}

/// What one client missed in one room, in order. A slice of what the room remembers: many clients share one copy.
public struct Replay: Sendable {
  public let messages: ArraySlice<PastMessage>
  /// Who gets it.
  let user: String

  init(messages: ArraySlice<PastMessage>, user: String) { (self.messages, self.user) = (messages, user) }

  /// Appends one message as its client gets it.
  public func append(_ message: PastMessage, to buffer: inout ByteBuffer) {
    message.envelope.appendClientFrame(to: &buffer, offset: message.offset, includingClientID: isOwn(message))
  }

  private func isOwn(_ message: PastMessage) -> Bool { UserKey(message.sender) == UserKey(user) }
}

// How long a message is before it is written, so that its frame can be written in one go.
extension Replay {
  /// How many bytes ``append(_:to:)`` writes.
  public func byteCount(of message: PastMessage) -> Int {
    message.envelope.clientFrameCount(offset: message.offset, includingClientID: isOwn(message))
  }
}

/// What a client that joins wants of the past.
public struct JoinWish: Sendable, Equatable {
  /// The position to go on from; answered by `recovered`.
  public var since: Position?
  /// The last so many messages; when `since` cannot be recovered, or was not given.
  public var history = 0

  public init(since: Position? = nil, history: Int = 0) { (self.since, self.history) = (since, history) }
}
