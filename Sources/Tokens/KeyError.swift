/// Why a key cannot be used. Its text names no part of the key.
public enum KeyError: String, Error, CaseIterable, Sendable, CustomStringConvertible {
  case secretTooShort
  case badKeyID
  case privateKey
  case publicSecret
  case certificate
  case notPEM
  case severalKeys
  case unsupported
  case weakRSA
  case wrongAlgorithm
  case invalid
  case repeated
  case notASet
  case setTooLarge
  case nothingUsable

  /// What is wrong and what to do, to follow the key's name.
  public var description: String {
    switch self {
    case .secretTooShort: "is shorter than 32 bytes (HS384: 48, HS512: 64): whoever guesses it is any user"
    case .badKeyID: "has a key id (kid) that is not 1 to 64 of A-Z a-z 0-9 . _ -"
    case .privateKey: "is a private key: a node needs only the public one (openssl pkey -pubout)"
    case .publicSecret: "is a shared secret: it must not come from a URL"
    case .certificate: "is a certificate: give its key (openssl x509 -pubkey -noout)"
    case .notPEM: "is not a PEM public key (-----BEGIN PUBLIC KEY-----)"
    case .severalKeys: "holds several keys: one file for each"
    case .unsupported: "is of a kind that is not supported: RSA, EC P-256 or P-384, or Ed25519"
    case .weakRSA: "is an RSA key outside 2,048 to 8,192 bits, or with an odd exponent that is not 3 to 4,294,967,295"
    case .wrongAlgorithm: "does not fit the algorithm given for it"
    case .invalid: "is not a valid key"
    case .repeated: "has the key id (kid) and algorithm of a key before it"
    case .notASet: "is not a key set: {\"keys\": [...]}, in strict JSON"
    case .setTooLarge: "is too large a key set: at most 256 KiB and 64 keys"
    case .nothingUsable: "holds no key that verifies tokens"
    }
  }
}
