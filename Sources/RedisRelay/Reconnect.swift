/// When to try again: full jitter below a bound that doubles from 10 to 500 ms, so that a cluster's nodes do not come
/// back in step.
struct Reconnect {
  private var failures = 0
  private var random: UInt64

  init(seed: UInt64) { random = seed }

  /// Milliseconds until the next try.
  mutating func delay() -> Int64 {
    let bound = min(500, 10 << min(failures, 6))
    failures += 1
    return Int64(next() % UInt64(bound + 1))
  }

  /// The connection proved to be of use.
  mutating func succeed() { failures = 0 }

  /// SplitMix64 (Steele et al. 2014).
  private mutating func next() -> UInt64 {
    random &+= 0x9E37_79B9_7F4A_7C15
    var z = random
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
