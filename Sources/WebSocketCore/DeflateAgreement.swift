/// What a client and this server agreed on for permessage-deflate (RFC 7692).
///
/// Neither side ever keeps its window from one message to the next (`no_context_takeover` both ways): one compressed
/// form of a message then serves everybody who can read that window, and no connection holds a compressor.
public struct DeflateAgreement: Equatable, Sendable {
  /// Windows of 2^9 to 2^15 bytes. RFC 7692 also knows 2^8, which zlib cannot write in this format.
  public static let windowBits: ClosedRange<UInt8> = 9...15

  /// The window the client wants the server's messages to fit.
  public let serverWindowBits: UInt8
  /// Whether the client asked for that window, so that the answer must name it.
  private let isWindowAsked: Bool
  /// The window, 8 to 15, that the client said it will not exceed; it is told back. The server reads all of them.
  private let clientWindowBits: UInt8?

  /// - Parameters:
  ///   - serverWindowBits: what `server_max_window_bits` asked for, in ``windowBits``; nil when it was not there.
  ///   - clientWindowBits: the number in `client_max_window_bits`, 8 to 15; nil when there was none.
  public init(serverWindowBits: UInt8?, clientWindowBits: UInt8?) {
    precondition(Self.windowBits.contains(serverWindowBits ?? 15) && (8...15).contains(clientWindowBits ?? 15))
    self.serverWindowBits = serverWindowBits ?? Self.windowBits.upperBound
    isWindowAsked = serverWindowBits != nil
    self.clientWindowBits = clientWindowBits
  }

  /// The value of `Sec-WebSocket-Extensions` in the 101 (RFC 7692 section 7.1).
  public var answer: String {
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
      + (isWindowAsked ? "; server_max_window_bits=\(serverWindowBits)" : "")
      + (clientWindowBits.map { "; client_max_window_bits=\($0)" } ?? "")
  }
}
