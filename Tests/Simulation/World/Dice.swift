/// The only source of chance in a simulation (SplitMix64, Steele et al. 2014).
public struct Dice: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 ^ 0xD1B5_4A32_D192_ED03 }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  public mutating func roll(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  public mutating func chance(_ percent: Int) -> Bool { next() % 100 < UInt64(percent) }

  /// One of them; `nil` when there is none.
  public mutating func pick<C: RandomAccessCollection>(_ items: C) -> C.Element? {
    guard !items.isEmpty else { return nil }
    return items[items.index(items.startIndex, offsetBy: Int(next() % UInt64(items.count)))]
  }

  public mutating func hexadecimal(_ digits: Int) -> String {
    String((0..<digits).map { _ in Self.digits[Int(next() & 15)] })
  }

  private static let digits = Array("0123456789abcdef")
}
