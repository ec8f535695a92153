/// Counts messages that were no JSON: the tenth within a minute closes the connection with 1008.
///
/// Exact over any sixty seconds, not only over fixed minutes: it keeps how many seconds ago each of the last nine
/// happened, and sixty stands for "forgotten".
public struct OffenceCounter: Sendable {
  /// Offences within ``window`` that are too many.
  public static let limit = 10
  /// Seconds after which an offence is forgotten.
  public static let window: UInt8 = 60

  private var last: Int32 = 0
  private var ages = [9 of UInt8](repeating: Self.window)

  public init() {}

  /// An offence happened at `now`, in whole seconds of any steady clock. Answers whether it is one too many.
  public mutating func record(now: Int32) -> Bool {
    let passed = UInt8(clamping: min(max(0, Int64(now) - Int64(last)), Int64(Self.window)))
    last = now
    var isTooMuch = true
    var oldest = 0
    for index in ages.indices {
      ages[index] = min(ages[index] + passed, Self.window)
      if ages[index] == Self.window { isTooMuch = false }
      if ages[index] > ages[oldest] { oldest = index }
    }
    ages[oldest] = 0
    return isTooMuch
  }
}
