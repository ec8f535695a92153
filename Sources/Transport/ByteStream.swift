public import EventLoops

/// One non-blocking stream of bytes with exactly one owner: a socket in the clear, or TLS over it.
///
/// It speaks as ``Socket`` does. TLS adds three things its owner has to know, all of which never happen in the clear:
///
/// - Before ``isEstablished`` nothing is received or sent; ``receive(into:from:)`` and ``handshake()`` move it on.
/// - ``needsWritable``: to go on it waits for room to send, whoever waits for it. Watch the descriptor for writing, and
///   call ``receive(into:from:)`` (or send what is to be sent) when it is ready.
/// - ``holdsMore``: it has received more than it has handed out, and no event will tell. Receive again, soon.
public struct ByteStream: ~Copyable {
  private let socket: Socket
  private var session: TLSSession?

  /// A stream in the clear.
  public init(_ socket: consuming Socket) { self.socket = socket }

  init(_ socket: consuming Socket, _ session: TLSSession) {
    self.socket = socket
    self.session = session
  }

  // The session says goodbye as long as the descriptor is ours.
  deinit { session?.end() }

  public var descriptor: CInt { socket.descriptor }

  /// Receives into `buffer` from `offset` on. Never blocks.
  @inline(__always)
  public borrowing func receive(into buffer: inout MutableRawSpan, from offset: Int = 0) -> IOResult {
    guard let session else { return socket.receive(into: &buffer, from: offset) }
    return session.receive(into: &buffer, from: offset)
  }

  /// Sends as much of `bytes` as is taken. Never blocks, never raises SIGPIPE.
  ///
  /// What was not taken must come first the next time: TLS may have sent some of it. See ``hasBegunNext``.
  @inline(__always)
  public borrowing func send(_ bytes: borrowing RawSpan) -> IOResult {
    guard let session else { return socket.send(bytes) }
    return session.send(bytes)
  }

  /// Looks at what came before anything of the stream was received, in the clear; see ``Socket/peek(into:)``. What is
  /// said there is not TLS' own yet.
  public borrowing func peek(into buffer: inout MutableRawSpan) -> IOResult { socket.peek(into: &buffer) }
  /// Takes `count` bytes that were peeked at off the stream.
  public borrowing func discard(_ count: Int) { socket.discard(count) }

  /// Ends the sending direction (by TLS' close_notify as well); what was sent still arrives.
  public borrowing func shutdownSending() {
    guard let session else { return socket.shutdownSending() }
    session.shutdownSending()
  }

  /// Makes the close that follows drop unsent bytes and reset the connection.
  public borrowing func resetOnClose() { socket.resetOnClose() }
  /// The pending error (0: none), for instance why a connect failed.
  public borrowing func takeError() -> CInt { socket.takeError() }
  /// Gives up on unacknowledged data after `milliseconds` (TCP_USER_TIMEOUT, RFC 5482).
  public borrowing func setUserTimeout(milliseconds: CInt) { socket.setUserTimeout(milliseconds: milliseconds) }

  // MARK: TLS

  public var isSecure: Bool { session != nil }

  /// Whether bytes may pass: always in the clear, after the handshake with TLS.
  public var isEstablished: Bool { session?.isEstablished ?? true }

  /// It waits for room to send, for reasons of its own.
  public var needsWritable: Bool { session?.needsWritable ?? false }

  /// It has more than it handed out: bytes, or the end of the stream.
  public var holdsMore: Bool { session?.holdsMore ?? false }

  /// The byte that would be sent next has left already, so what follows it must follow.
  public var hasBegunNext: Bool { session?.hasBegunNext ?? false }

  /// Why TLS failed, for people: nothing in it is the peer's own words. `nil`: it did not.
  public var failure: String? { session?.failure }

  /// Why the peer's certificate is not believed, for people. `nil`: it is, or TLS failed for another reason.
  public var distrust: String? { session?.distrust }

  /// Whether ``needsWritable`` is not what ``noteNeeds()`` said last: what is watched has to follow.
  public var hasChangedNeeds: Bool { session?.hasChangedNeeds ?? false }

  /// ``needsWritable``, for whoever now watches accordingly.
  public borrowing func noteNeeds() -> Bool { session?.noteNeeds() ?? false }

  /// There is room: sends what TLS of its own accord has to send.
  public borrowing func flush() { session?.flush() }

  /// Moves the handshake on: `.done(0)` when it is over.
  public borrowing func handshake() -> IOResult { session?.handshake() ?? .done(0) }

  /// The peer has sent a plain HTTP request where TLS was to begin; ``giveUpTLS()`` makes it possible to say so.
  public var peerSpeaksHTTP: Bool { session?.peerSpeaksHTTP ?? false }

  /// Goes on in the clear.
  public mutating func giveUpTLS() { session = nil }
}
