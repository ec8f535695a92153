/// What a signature is checked with. It belongs to exactly one algorithm, so that no token can choose a weaker one or
/// have a public key taken for a secret (RFC 8725 section 3.1).
public struct VerificationKey: Sendable {
  /// In bytes: a secret shorter than the hash makes the hash pointless (RFC 7518 section 3.2).
  public static let shortestSecret = 32

  public let algorithm: Algorithm
  /// The `kid` that names this key; nil for a key that fits any.
  public let id: String?
  /// Who signs with it: a token that it verifies must say one of them in `iss`. Nil: whom the rules name.
  public var issuers: [String]?
  private let material: Material

  /// What the algorithm works with.
  private enum Material: Sendable {
    case secret([UInt8])
    case publicKey(PublicKey)
  }

  /// A shared secret for HS256, HS384 or HS512, at least as long as the hash.
  public init(secret: [UInt8], algorithm: Algorithm = .hs256, id: String? = nil) throws(KeyError) {
    guard algorithm.family == .secret else { throw .wrongAlgorithm }
    guard secret.count >= algorithm.hashBytes else { throw .secretTooShort }
    try self.init(algorithm, id, .secret(secret))
  }

  /// A public key in PEM.
  ///
  /// - Parameter algorithm: must fit the key. Nil: the only one that fits, or RS256 for an RSA key. An RSA key that is
  ///   used in two ways is two keys.
  public init(pem: [UInt8], algorithm: Algorithm? = nil, id: String? = nil) throws(KeyError) {
    try self.init(PublicKey(pem: pem), algorithm, id)
  }

  init(_ key: PublicKey, _ algorithm: Algorithm?, _ id: String?) throws(KeyError) {
    let algorithm = algorithm ?? key.family.algorithm
    guard algorithm.family == key.family else { throw .wrongAlgorithm }
    try self.init(algorithm, id, .publicKey(key))
  }

  private init(_ algorithm: Algorithm, _ id: String?, _ material: Material) throws(KeyError) {
    guard id.map({ KeyID.isValid($0) }) ?? true else { throw .badKeyID }
    (self.algorithm, self.id, self.material) = (algorithm, id, material)
  }

  /// Whether `signature` is right for the bytes of `token` in `range`.
  func verifies(_ signature: [UInt8], over range: Range<Int>, of token: borrowing RawSpan) -> Bool {
    switch material {
    case .secret(let secret):
      Signatures.equal(Signatures.hmac(algorithm, range, of: token, secret: secret), signature)
    case .publicKey(let key):
      key.verifies(signature, by: algorithm, over: range, of: token)
    }
  }
}

/// Secrets do not get into logs by being printed.
extension VerificationKey: CustomStringConvertible, CustomReflectable {
  public var description: String { "VerificationKey(\(algorithm.rawValue), id: \(id ?? "none"))" }
  public var customMirror: Mirror { Mirror(self, children: ["algorithm": algorithm, "id": id as Any]) }
}

/// The shape of a `kid`: never a path, a query or an address (SECURITY-CHECKLIST section 2).
public enum KeyID {
  public static func isValid(_ id: String) -> Bool {
    (1...64).contains(id.utf8.count)
      && id.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
      }
  }
}
