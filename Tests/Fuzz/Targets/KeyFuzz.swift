import Tokens

/// Keys as operators' files and key servers bring them: a JSON Web Key Set, or PEM, through OpenSSL.
///
/// - A set is refused, or says of each key why not; at most 64 are looked at. None from an address is a shared secret.
/// - No key but the right one believes a token.
enum KeyFuzz {
  static func run(_ bytes: [UInt8]) throws(Finding) {
    for origin in [KeySet.Origin.file, .address] {
      guard let set = try? KeySet(bytes, from: origin) else { continue }
      try demand(!set.keys.isEmpty || !set.refusals.isEmpty, "an empty set, and no reason")
      try demand(set.keys.count + set.refusals.count <= KeySet.mostKeys, "more keys than were counted")
      if case .address = origin {
        try demand(!set.keys.contains { $0.algorithm.rawValue.hasPrefix("HS") }, "a secret that everybody can read")
      }
      try check(set.keys)
    }
    if let key = try? VerificationKey(pem: bytes) { try check([key]) }
  }

  private static func check(_ keys: [VerificationKey]) throws(Finding) {
    guard !keys.isEmpty else { return }
    let verifier = TokenVerifier(keys: keys)
    for algorithm in Algorithm.allCases {
      let header = Array(#"{"alg":"\#(algorithm.rawValue)"}"#.utf8)
      let token = TokenFuzz.signed(header: header, claims: Array(#"{"sub":"ann","exp":1800000060}"#.utf8))
      try demand((try? verifier.verify(token, now: TokenFuzz.now)) == nil, "believed with a stranger's key")
    }
  }
}
