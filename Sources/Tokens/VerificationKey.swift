/// Signature algorithms we verify, by their `alg` names (RFC 7518 section 3.1). `none` is not one of them.
public enum Algorithm: String, CaseIterable, Sendable {
  case hs256 = "HS256"
}

/// Why a key cannot be used. The node refuses to start.
public enum KeyError: Error, Equatable, Sendable {
  /// A shared secret under ``VerificationKey/shortestSecret`` bytes could be guessed.
  case secretTooShort
  /// Not `[A-Za-z0-9._-]{1,64}`.
  case badKeyID
}

/// What a signature is checked with. It belongs to exactly one algorithm, so that no token can choose a weaker one or
/// have a public key taken for a secret (RFC 8725 section 3.1).
public struct VerificationKey: Sendable {
  /// In bytes: a secret shorter than the hash makes the hash pointless (RFC 7518 section 3.2).
  public static let shortestSecret = 32

  public let algorithm: Algorithm
  /// The `kid` that names this key; nil for a key that fits any.
  public let id: String?
  private let material: Material

  /// What the algorithm works with. Public keys will be a case of their own.
  private enum Material: Sendable {
    case secret([UInt8])
  }

  /// A shared secret, for HS256.
  public init(secret: [UInt8], id: String? = nil) throws(KeyError) {
    guard secret.count >= Self.shortestSecret else { throw .secretTooShort }
    guard id.map({ KeyID.isValid($0) }) ?? true else { throw .badKeyID }
    (algorithm, self.id, material) = (.hs256, id, .secret(secret))
  }

  /// Whether `signature` is right for the bytes of `token` in `range`.
  func verifies(_ signature: [UInt8], over range: Range<Int>, of token: borrowing RawSpan) -> Bool {
    switch material {
    case .secret(let secret):
      Signatures.equal(Signatures.hmacSHA256(range, of: token, secret: secret), signature)
    }
  }
}

/// Secrets do not get into logs by being printed.
extension VerificationKey: CustomStringConvertible, CustomReflectable {
  public var description: String { "VerificationKey(\(algorithm.rawValue), id: \(id ?? "none"))" }
  public var customMirror: Mirror { Mirror(self, children: ["algorithm": algorithm, "id": id as Any]) }
}

/// The shape of a `kid`: never a path, a query or an address (SECURITY-CHECKLIST section 2).
enum KeyID {
  static func isValid(_ id: String) -> Bool {
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
