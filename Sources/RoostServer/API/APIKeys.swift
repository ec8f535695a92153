import COpenSSL

/// The keys of the HTTP API: one can ask whether a text is a key, and nothing else.
///
/// Only digests are kept and compared, all of them, each in constant time: how long an answer takes says neither which
/// key a guess was close to nor how long keys are.
struct APIKeys: Sendable {
  /// Characters of a key: shorter ones could be guessed, longer ones do not fit a header with room to spare.
  static let characters = 32...512

  private let digests: [[UInt8]]

  init(_ keys: [[UInt8]]) { digests = keys.map(Self.digest) }

  func contains(_ text: [UInt8]) -> Bool {
    let digest = Self.digest(text)
    var matches = 0
    for known in digests where unsafe CRYPTO_memcmp(known, digest, known.count) == 0 { matches += 1 }
    return matches > 0
  }

  /// Whether `key` may be one: long enough, and writable in a header.
  static func isAcceptable(_ key: [UInt8]) -> Bool {
    characters.contains(key.count) && key.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }

  private static func digest(_ text: [UInt8]) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { digest, count in
      unsafe SHA256(text, text.count, digest.baseAddress)
      count = Int(SHA256_DIGEST_LENGTH)
    }
  }
}
