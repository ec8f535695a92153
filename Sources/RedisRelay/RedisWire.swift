public import EventLoops

/// A byte stream to Redis, closed and opened again as often as needed. What ``RedisRelay`` knows of the kernel.
///
/// Nothing here blocks. After `connect` the wire says once that it is ready: connected or failed. Then it is ready
/// whenever there is something to read and, while `watch(writing: true)`, whenever there is room to send. A wire with a
/// handshake of its own is ready more often before the connect is finished.
public protocol RedisWire: AnyObject {
  /// Begins to connect; how it ends is known when the wire is ready.
  func connect(to address: Address) throws(SystemError)
  /// Moves the connect that was begun on. True when it holds; false: ask again when the wire is ready the next time.
  func finishConnecting() throws(SystemError) -> Bool
  func receive(into buffer: inout MutableRawSpan) -> IOResult
  func send(_ bytes: borrowing RawSpan) -> IOResult
  func watch(writing: Bool)
  /// More was received than was handed out: receive again without waiting for the wire to be ready.
  var holdsMore: Bool { get }
  /// Why TLS failed, when it did, without the server's own words.
  var failure: String? { get }
  /// Closes at once and unread; from now on the wire is never ready. What was sent may still arrive.
  func close()
}

/// What a relay takes from the world beside its wires.
public struct RelaySurroundings: Sendable {
  /// As many hexadecimal digits as asked for, which nobody can guess.
  public var secret: @Sendable (Int) -> String
  /// Milliseconds since 1970, for timestamps.
  public var wallClock: @Sendable () -> Int64
  /// Nanoseconds that only go forward, for measuring: nothing is decided by them.
  public var nanoseconds: @Sendable () -> Int64
  /// Makes the relay's thread take a turn: something arrived from another one.
  public var wake: @Sendable () -> Void

  public init(
    secret: @escaping @Sendable (Int) -> String, wallClock: @escaping @Sendable () -> Int64,
    nanoseconds: @escaping @Sendable () -> Int64 = { 0 }, wake: @escaping @Sendable () -> Void
  ) {
    (self.secret, self.wallClock, self.nanoseconds, self.wake) = (secret, wallClock, nanoseconds, wake)
  }
}
