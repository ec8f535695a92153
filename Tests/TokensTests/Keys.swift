import RoostTesting
import Tokens

/// One key of each kind; making RSA keys takes long.
enum Keys {
  static let all = Dictionary(uniqueKeysWithValues: TestKey.Kind.allCases.map { ($0, TestKey($0)) })

  static func key(_ kind: TestKey.Kind) -> TestKey { all[kind]! }

  /// Each algorithm with a key pair for it.
  static let pairs: [(Algorithm, TestKey)] = TestKey.Kind.allCases.flatMap { kind in
    kind.algorithms.map { ($0, key(kind)) }
  }

  static func token(_ algorithm: Algorithm, _ key: TestKey, id: String? = nil) throws -> String {
    let signing = try SigningKey(pem: key.privatePEM, algorithm: algorithm)
    return try TokenMinter(key: signing, keyID: id).mint(Claims(userID: "ann", expiresAt: now + 60))
  }
}
