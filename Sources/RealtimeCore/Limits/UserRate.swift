/// The message rate of one user, and how long refusals are put up with.
///
/// Refused messages take from a second bucket, three bursts deep, which refills at the same pace. Who waits as told
/// never empties it; who goes on regardless is closed with 4029.
public struct UserRate: Equatable, Sendable {
  public enum Answer: Equatable, Sendable {
    case allowed
    case refused(retryAfterMilliseconds: Int)
    /// Close the connection with 4029.
    case close
  }

  /// SPEC section 3: ten at once, one more per second.
  public static let standard = Rate(burst: 10, perSecond: 1)

  private var messages = TokenBucket()
  private var patience = TokenBucket()

  public init() {}

  /// A message came at `now`, in nanoseconds.
  public mutating func message(at now: Int64, rate: Rate = Self.standard) -> Answer {
    guard case .refused(let wait) = messages.take(at: now, rate: rate) else { return .allowed }
    return refuse(retryAfterMilliseconds: wait, at: now, rate: rate)
  }

  /// Something else of the user is refused because it comes too often, which counts as much.
  public mutating func refuse(retryAfterMilliseconds wait: Int, at now: Int64, rate: Rate = Self.standard) -> Answer {
    patience.take(at: now, rate: rate.forbearance) == .allowed ? .refused(retryAfterMilliseconds: wait) : .close
  }

  /// Milliseconds after which nothing is remembered of a user who stays away.
  static func memory(_ rate: Rate) -> Int64 { rate.forbearance.fillTime / 1_000_000 + 1 }

  /// Whether nothing is remembered about the user, so that the entry may be swept.
  public func isIdle(at now: Int64) -> Bool { messages.isFull(at: now) && patience.isFull(at: now) }
}
