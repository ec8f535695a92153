import Synchronization
import Telemetry

/// How long the turns of one loop take: for as long as one lasts, whoever else is ready waits. Written by the loop,
/// read by others, without a locked instruction.
final class LoopTimes: Sendable {
  /// The loop's name as a label: the shard's number, or `hub`.
  let name: String
  private let turns = SharedHistogram.durations
  /// Of the turn that is on, in nanoseconds of the monotonic clock; 0: the loop waits for something to do.
  private let startedAt = Atomic<Int>(0)

  init(_ name: String) { self.name = name }

  func begin(at nanoseconds: Int64) { startedAt.store(Int(nanoseconds), ordering: .relaxed) }

  func end(at nanoseconds: Int64) {
    turns.observe(Int(nanoseconds) - startedAt.load(ordering: .relaxed))
    startedAt.store(0, ordering: .relaxed)
  }

  var histogram: Histogram { turns.snapshot }

  /// How long the turn that is on has lasted, in seconds.
  func seconds(now: Int64) -> Double {
    let started = startedAt.load(ordering: .relaxed)
    return started == 0 ? 0 : Double(max(0, Int(now) - started)) / 1e9
  }
}
