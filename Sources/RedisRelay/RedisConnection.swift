import Buffers
import EventLoops
import RealtimeCore

/// One connection to Redis: its wire, its reader, what is not sent yet, and when to try again. It knows no commands.
struct RedisConnection: ~Copyable {
  enum Phase: Equatable {
    /// Closed until `retryAt`.
    case down
    case connecting
    /// Commands that belong to the connection alone are on their way.
    case greeting
    /// Greeted; something else has to happen first.
    case waiting
    /// The last step on the way to ``ready``.
    case settling
    case ready
  }

  /// What reading met.
  enum Outcome: Equatable { case open, lost(RelayTrouble, String) }

  private(set) var phase = Phase.down
  private(set) var retryAt: Int64 = 0
  /// When the phase must be over; `.max` when it may last.
  private(set) var deadline: Int64 = .max
  var outbound = ByteBuffer()
  private let wire: any RedisWire
  private var reader: ReplyReader
  private var reconnect: Reconnect
  private var watchesWriting = false
  private let byteLimit: Int

  /// Elements of one reply: a full read of small messages stays below.
  private static var itemLimit: Int { 1 << 18 }
  private static var greetingMilliseconds: Int64 { 1_000 }

  init(wire: any RedisWire, byteLimit: Int, seed: UInt64) {
    (self.wire, self.byteLimit) = (wire, byteLimit)
    reader = ReplyReader(byteLimit: byteLimit, itemLimit: Self.itemLimit)
    reconnect = Reconnect(seed: seed)
  }

  var isUp: Bool { phase != .down }
  /// The kernel has not yet refused to take more.
  var canSend: Bool { isUp && !watchesWriting }

  /// Begins to connect; the answer comes as an event.
  mutating func open(_ address: Address, now: Int64) -> Outcome {
    do { try wire.connect(to: address) } catch { return .lost(.unreachable, "\(error)") }
    watchesWriting = true
    reader = ReplyReader(byteLimit: byteLimit, itemLimit: Self.itemLimit)
    enter(.connecting, now: now)
    return .open
  }

  /// Closes at once. What was on its way is dropped; what Redis already has may still run there.
  /// - Parameter pause: the next try is not before so many milliseconds.
  mutating func close(now: Int64, pause: Int64 = 0) {
    wire.close()
    outbound.release()
    (phase, deadline) = (.down, .max)
    retryAt = now + pause + reconnect.delay()
  }

  /// Puts off the next try, while nothing is there to connect to.
  mutating func postpone(now: Int64) { retryAt = now + 50 }

  mutating func enter(_ phase: Phase, now: Int64) {
    self.phase = phase
    switch phase {
    case .down, .waiting, .ready: deadline = .max
    case .connecting, .greeting, .settling: deadline = now + Self.greetingMilliseconds
    }
  }

  /// What missing the deadline means.
  var lateness: RelayTrouble { phase == .connecting ? .unreachable : .timeout }

  /// The connection was of use: the next loss is retried at once.
  mutating func proved() { reconnect.succeed() }

  /// Moves the connect on: `.open` when it holds, `nil` while it is not decided.
  mutating func finishConnecting() -> Outcome? {
    do { return try wire.finishConnecting() ? .open : nil } catch { return lost(error) }
  }

  /// What a failed call means.
  private func lost(_ error: SystemError) -> Outcome {
    if let failure = wire.failure { return .lost(.tls, "TLS failed: \(failure)") }
    return .lost(.unreachable, "\(error)")
  }

  /// The wire has something that no event tells of.
  var holdsMore: Bool { isUp && phase != .connecting && wire.holdsMore }

  /// Feeds what came to the reader: at most some scratch fulls, so that a flood does not hold the loop.
  mutating func receive(into scratch: inout [UInt8]) -> Outcome {
    for _ in 0..<8 {
      guard isUp else { return .open }
      var room = scratch.mutableSpan
      var memory = unsafe room.mutableBytes
      switch wire.receive(into: &memory) {
      case .wouldBlock: return .open
      case .endOfStream: return .lost(.unreachable, "Redis closed the connection")
      case .failed(let code): return lost(SystemError(call: "recv", code: code))
      case .done(let count):
        do { try reader.feed(memory.bytes.extracting(0..<count)) } catch {
          return .lost(.nonsense, "not a reply: \(error)")
        }
        if count < scratch.count { return .open }
      }
    }
    return .open
  }

  mutating func nextReply(into reply: inout Reply) throws(MalformedReply) -> Bool {
    guard isUp else { return false }
    return try reader.next(into: &reply)
  }

  /// Sends what waits, as far as the kernel takes it, and asks to be told when more fits.
  mutating func flush() -> Outcome {
    guard phase != .down, phase != .connecting else { return .open }
    while !outbound.isEmpty {
      switch wire.send(outbound.bytes) {
      case .done(let count): outbound.removeFirst(count)
      case .wouldBlock: return watchWriting(true)
      case .endOfStream: return .lost(.unreachable, "Redis closed the connection")
      case .failed(let code): return lost(SystemError(call: "send", code: code))
      }
    }
    return watchWriting(false)
  }

  private mutating func watchWriting(_ watches: Bool) -> Outcome {
    guard watches != watchesWriting else { return .open }
    watchesWriting = watches
    wire.watch(writing: watches)
    return .open
  }
}
