import Synchronization

/// Secrets out of the seed. Sendable because a relay's surroundings must be.
public final class SimulatedSecrets: Sendable {
  private let dice: Mutex<Dice>

  public init(seed: UInt64) { dice = Mutex(Dice(seed: seed)) }

  public func hexadecimal(_ digits: Int) -> String { dice.withLock { $0.hexadecimal(digits) } }
}
