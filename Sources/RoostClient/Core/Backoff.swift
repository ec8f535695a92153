/// How long to wait before the next try: full jitter, so that a crowd that was sent away does not come back as one.
///
/// There is no last try; only the pause has a bound.
struct Backoff {
  private let base: Int64
  private let longest: Int64
  private var failures = 0
  private var state: UInt64

  init(base: Int64, longest: Int64, seed: UInt64) {
    precondition(base >= 1 && longest >= base && longest <= 1 << 40)
    (self.base, self.longest, state) = (base, longest, seed)
  }

  /// The most that the next pause may last.
  var bound: Int64 {
    let shift = min(failures, 40)
    return base > longest >> Int64(shift) ? longest : base << Int64(shift)
  }

  /// Draws a pause from 0 to ``bound``, which then doubles.
  mutating func next() -> Int64 {
    let pause = draw(upTo: bound)
    failures += 1
    return pause
  }

  /// From 0 to `bound`.
  mutating func draw(upTo bound: Int64) -> Int64 { Int64(random() % UInt64(bound + 1)) }

  /// The connection was good.
  mutating func reset() { failures = 0 }

  /// As if there had been so many more failures.
  mutating func raise(by steps: Int) { failures += steps }

  /// SplitMix64 (Steele et al. 2014).
  private mutating func random() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
