import Synchronization

/// The one clock of a simulation, in microseconds; it stands still while anything happens.
///
/// Atomic only because a relay's surroundings must be sendable: all of a simulation runs in one thread.
public final class SimulatedClock: Sendable {
  private let elapsed = Atomic<Int64>(0)
  /// How far wall clocks were stepped, in milliseconds.
  private let step = Atomic<Int64>(0)

  /// Wall clocks begin in November 2026.
  private static let start: Int64 = 1_794_000_000_000

  public init() {}

  public var microseconds: Int64 { elapsed.load(ordering: .relaxed) }
  /// The monotonic clock of every process.
  public var milliseconds: Int64 { microseconds / 1_000 }
  /// Milliseconds since 1970, as the machines' clocks show them.
  public var wall: Int64 { Self.start + milliseconds + step.load(ordering: .relaxed) }
  public var wallMicroseconds: Int64 { wall * 1_000 + microseconds % 1_000 }

  func advance(to time: Int64) { elapsed.store(max(time, microseconds), ordering: .relaxed) }

  /// Somebody set the clock.
  func stepWall(by milliseconds: Int64) { step.add(milliseconds, ordering: .relaxed) }
}
