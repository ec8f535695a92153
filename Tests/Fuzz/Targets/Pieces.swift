/// Where a network cuts an input. Drawn from the input itself, so that a finding needs nothing but its file.
enum Pieces {
  /// Several ways to cut: for each the ends of its pieces, ascending, the last one `bytes.count`.
  static func ways(_ bytes: [UInt8]) -> [[Int]] {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    var ways = [cut(bytes.count, seed: hash, widest: 8), cut(bytes.count, seed: ~hash, widest: 512)]
    if bytes.count <= 256 { ways.append(Array(1..<bytes.count + 1)) }
    return ways.map { $0.isEmpty ? [0] : $0 }
  }

  private static func cut(_ count: Int, seed: UInt64, widest: UInt64) -> [Int] {
    var ends: [Int] = []
    var (state, end) = (seed | 1, 0)
    while end < count {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      end = min(count, end + 1 + Int(state >> 33 % widest))
      ends.append(end)
    }
    return ends
  }
}
