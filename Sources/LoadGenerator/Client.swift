import Buffers
import EventLoops
import Transport
import WebSocketCore

/// One connection of a swarm. Holds memory only while something is on its way.
struct Client: ~Copyable {
  enum Phase: UInt8 { case connecting, handshaking, open, closing }

  let socket: ByteStream
  /// The driver's name for it.
  let tag: Int
  var phase = Phase.connecting
  var waitsForWriting = true
  var isDirty = false
  var reader = MessageReader(side: .client)
  /// What the socket has not taken yet.
  var outgoing = ByteBuffer()
  /// Received bytes that are not complete.
  var leftover = ByteBuffer()
  /// Only until the handshake is answered.
  var handshake: ClientHandshake?

  init(_ socket: consuming ByteStream, tag: Int, handshake: ClientHandshake) {
    self.socket = socket
    (self.tag, self.handshake) = (tag, handshake)
  }
}

/// How a connection of a swarm ended.
public enum Ending: Equatable, Sendable {
  /// The connection was not made; the `errno` value.
  case failed(CInt)
  /// The server answered with this HTTP status instead of 101; 0 when it was no sensible answer.
  case refused(status: Int)
  /// A close frame came; 1005 when it had no code.
  case closed(code: UInt16)
  /// It ended without a close frame.
  case lost
  /// The server broke RFC 6455.
  case violation(String)
}
