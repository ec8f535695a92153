import Synchronization

/// What one shard counts: plain numbers on its own loop.
struct ShardCounters {
  /// Open WebSockets now.
  var open = 0
  var accepted = 0
  var opened = 0
  var received = 0
  /// Messages handed to the kernel or to a backlog.
  var sent = 0
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

  static let count = 15

  var values: InlineArray<15, Int> {
    [
      open, accepted, opened, received, sent, sends, mistakes, turns, muted, dropped, ignored, pauses, compressed,
      compressedFrom, compressedTo,
    ]
  }

  init() {}

  init(_ values: InlineArray<15, Int>) {
    (open, accepted, opened) = (values[0], values[1], values[2])
    (received, sent, sends, mistakes) = (values[3], values[4], values[5], values[6])
    (turns, muted, dropped) = (values[7], values[8], values[9])
    (ignored, pauses) = (values[10], values[11])
    (compressed, compressedFrom, compressedTo) = (values[12], values[13], values[14])
  }

  static func + (left: Self, right: Self) -> Self {
    let (left, right) = (left.values, right.values)
    return Self(InlineArray { left[$0] + right[$0] })
  }
}

/// A shard's numbers for readers on other loops: written by one, once per turn, without a locked instruction.
final class SharedCounters: Sendable {
  private let open = Atomic<Int>(0)
  private let accepted = Atomic<Int>(0)
  private let opened = Atomic<Int>(0)
  private let received = Atomic<Int>(0)
  private let sent = Atomic<Int>(0)
  private let sends = Atomic<Int>(0)
  private let mistakes = Atomic<Int>(0)
  private let turns = Atomic<Int>(0)
  private let muted = Atomic<Int>(0)
  private let dropped = Atomic<Int>(0)
  private let ignored = Atomic<Int>(0)
  private let pauses = Atomic<Int>(0)
  private let compressed = Atomic<Int>(0)
  private let compressedFrom = Atomic<Int>(0)
  private let compressedTo = Atomic<Int>(0)

  func publish(_ counters: ShardCounters) {
    open.store(counters.open, ordering: .relaxed)
    accepted.store(counters.accepted, ordering: .relaxed)
    opened.store(counters.opened, ordering: .relaxed)
    received.store(counters.received, ordering: .relaxed)
    sent.store(counters.sent, ordering: .relaxed)
    sends.store(counters.sends, ordering: .relaxed)
    mistakes.store(counters.mistakes, ordering: .relaxed)
    turns.store(counters.turns, ordering: .relaxed)
    muted.store(counters.muted, ordering: .relaxed)
    dropped.store(counters.dropped, ordering: .relaxed)
    ignored.store(counters.ignored, ordering: .relaxed)
    pauses.store(counters.pauses, ordering: .relaxed)
    compressed.store(counters.compressed, ordering: .relaxed)
    compressedFrom.store(counters.compressedFrom, ordering: .relaxed)
    compressedTo.store(counters.compressedTo, ordering: .relaxed)
  }

  var snapshot: ShardCounters {
    ShardCounters([
      open.load(ordering: .relaxed), accepted.load(ordering: .relaxed), opened.load(ordering: .relaxed),
      received.load(ordering: .relaxed), sent.load(ordering: .relaxed), sends.load(ordering: .relaxed),
      mistakes.load(ordering: .relaxed), turns.load(ordering: .relaxed), muted.load(ordering: .relaxed),
      dropped.load(ordering: .relaxed),
      ignored.load(ordering: .relaxed), pauses.load(ordering: .relaxed), compressed.load(ordering: .relaxed),
      compressedFrom.load(ordering: .relaxed), compressedTo.load(ordering: .relaxed),
    ])
  }
}
