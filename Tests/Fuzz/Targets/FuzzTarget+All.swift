#if DEBUG || FUZZING
  extension FuzzTarget {
    public static let all: [FuzzTarget] = [
      FuzzTarget("http", lengthLimit: 4_096, HTTPFuzz.run),
      FuzzTarget("frames", lengthLimit: 4_096, FrameFuzz.run),
      FuzzTarget("deflate", lengthLimit: 2_048, DeflateFuzz.run),
      FuzzTarget("envelope", lengthLimit: 4_096, EnvelopeFuzz.run),
      FuzzTarget("redis", lengthLimit: 2_048, RedisFuzz.run),
      FuzzTarget("link", lengthLimit: 4_096, LinkFuzz.run),
      FuzzTarget("tokens", lengthLimit: 2_048, TokenFuzz.run),
      FuzzTarget("keys", lengthLimit: 4_096, KeyFuzz.run),
      FuzzTarget("relay", lengthLimit: 4_096, RelayFuzz.run),
    ]
  }
#else
  // Some targets look at what other targets keep to themselves, which release builds do not show.
  extension FuzzTarget {
    public static let all: [FuzzTarget] = []
  }
#endif
