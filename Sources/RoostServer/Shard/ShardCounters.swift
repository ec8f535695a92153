import Synchronization

/// What one shard counts: plain numbers on its own loop.
struct ShardCounters {
  /// Open WebSockets now.
  var open = 0
  var accepted = 0
  var opened = 0
  /// Calls of `send`.
  var sends = 0
  /// Mistakes of clients, told or punished.
  var mistakes = 0
  var turns = 0
  /// Rooms of slow clients whose messages were dropped until the client was told.
  var muted = 0
  /// Messages dropped that way.
  var dropped = 0
  /// Typing that came too often and was dropped without a word.
  var ignored = 0
  /// How often a client was not read for a while, because it sent too many bytes.
  var pauses = 0
  /// Messages compressed, their bytes before it and after.
  var compressed = 0
  var compressedFrom = 0
  var compressedTo = 0
  /// What happened in rooms, once for each member it was handed to.
  var deliveries = 0
  /// Bytes that the kernel gave and took, without those of TLS.
  var bytesReceived = 0
  var bytesSent = 0
  /// Messages from clients, and messages handed to the kernel or to a backlog.
  private(set) var receivedKinds = InlineArray<13, Int>(repeating: 0)
  private(set) var sentKinds = InlineArray<21, Int>(repeating: 0)

  init() {}

  // MARK: Kinds

  @inline(__always)
  mutating func receive(_ kind: ReceivedKind) { receivedKinds[kind.rawValue] &+= 1 }

  @inline(__always)
  mutating func send(_ kind: SentKind, _ messages: Int = 1) { sentKinds[kind.rawValue] &+= messages }

  subscript(kind: ReceivedKind) -> Int { receivedKinds[kind.rawValue] }
  subscript(kind: SentKind) -> Int { sentKinds[kind.rawValue] }

  var received: Int { receivedKinds.indices.reduce(0) { $0 + receivedKinds[$1] } }
  var sent: Int { sentKinds.indices.reduce(0) { $0 + sentKinds[$1] } }

  // MARK: Rows, for adding up and handing over

  var singles: InlineArray<16, Int> {
    [
      open, accepted, opened, sends, mistakes, turns, muted, dropped, ignored, pauses, compressed, compressedFrom,
      compressedTo, deliveries, bytesReceived, bytesSent,
    ]
  }

  init(_ singles: InlineArray<16, Int>, _ receivedKinds: InlineArray<13, Int>, _ sentKinds: InlineArray<21, Int>) {
    (open, accepted, opened) = (singles[0], singles[1], singles[2])
    (sends, mistakes, turns) = (singles[3], singles[4], singles[5])
    (muted, dropped, ignored, pauses) = (singles[6], singles[7], singles[8], singles[9])
    (compressed, compressedFrom, compressedTo) = (singles[10], singles[11], singles[12])
    (deliveries, bytesReceived, bytesSent) = (singles[13], singles[14], singles[15])
    (self.receivedKinds, self.sentKinds) = (receivedKinds, sentKinds)
  }

  static func + (left: Self, right: Self) -> Self {
    let (these, those) = (left.singles, right.singles)
    return Self(
      InlineArray { these[$0] + those[$0] }, InlineArray { left.receivedKinds[$0] + right.receivedKinds[$0] },
      InlineArray { left.sentKinds[$0] + right.sentKinds[$0] })
  }
}

/// A shard's numbers for readers on other loops: written by one, once per turn, without a locked instruction.
final class SharedCounters: Sendable {
  private let singles = InlineArray<16, Atomic<Int>> { _ in Atomic(0) }
  private let receivedKinds = InlineArray<13, Atomic<Int>> { _ in Atomic(0) }
  private let sentKinds = InlineArray<21, Atomic<Int>> { _ in Atomic(0) }

  func publish(_ counters: borrowing ShardCounters) {
    let fresh = counters.singles
    for place in singles.indices { singles[place].store(fresh[place], ordering: .relaxed) }
    for place in receivedKinds.indices {
      receivedKinds[place].store(counters.receivedKinds[place], ordering: .relaxed)
    }
    for place in sentKinds.indices { sentKinds[place].store(counters.sentKinds[place], ordering: .relaxed) }
  }

  var snapshot: ShardCounters {
    ShardCounters(
      InlineArray { singles[$0].load(ordering: .relaxed) }, InlineArray { receivedKinds[$0].load(ordering: .relaxed) },
      InlineArray { sentKinds[$0].load(ordering: .relaxed) })
  }
}
