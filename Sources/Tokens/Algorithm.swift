/// Signature algorithms we verify, by their `alg` names (RFC 7518 section 3.1, RFC 8037 section 3.1). `none` is not one
/// of them, and neither is what needs SHA-1, a curve nobody uses for tokens, or PSS with a longer hash.
public enum Algorithm: String, CaseIterable, Sendable {
  case hs256 = "HS256"
  case hs384 = "HS384"
  case hs512 = "HS512"
  case rs256 = "RS256"
  case rs384 = "RS384"
  case rs512 = "RS512"
  case ps256 = "PS256"
  case es256 = "ES256"
  case es384 = "ES384"
  case edDSA = "EdDSA"

  /// What kind of key it takes.
  enum Family: Sendable { case secret, rsa, p256, p384, ed25519 }

  var family: Family {
    switch self {
    case .hs256, .hs384, .hs512: .secret
    case .rs256, .rs384, .rs512, .ps256: .rsa
    case .es256: .p256
    case .es384: .p384
    case .edDSA: .ed25519
    }
  }

  /// Bytes of the hash, and of the shortest secret that does not make it pointless (RFC 7518 section 3.2).
  var hashBytes: Int {
    switch self {
    case .hs256, .rs256, .ps256, .es256: 32
    case .hs384, .rs384, .es384: 48
    case .hs512, .rs512, .edDSA: 64
    }
  }
}

extension Algorithm.Family {
  /// What a key of this kind is for when nobody says more.
  var algorithm: Algorithm {
    switch self {
    case .secret: .hs256
    case .rsa: .rs256
    case .p256: .es256
    case .p384: .es384
    case .ed25519: .edDSA
    }
  }
}
