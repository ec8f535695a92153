import COpenSSL
public import Tokens

/// A key pair made for one test, in all the forms a node may be given.
public struct TestKey: Sendable {
  public enum Kind: CaseIterable, Sendable {
    case rsa, rsa1024, p256, p384, p521, secp256k1, ed25519, x25519

    /// What a node may verify with it; none for what it refuses.
    public var algorithms: [Algorithm] {
      switch self {
      case .rsa: [.rs256, .rs384, .rs512, .ps256]
      case .p256: [.es256]
      case .p384: [.es384]
      case .ed25519: [.edDSA]
      default: []
      }
    }
  }

  public let privatePEM: [UInt8]
  public let publicPEM: [UInt8]
  /// The members of a JWK that are the public key, such as `"kty":"OKP","crv":"Ed25519","x":"…"`.
  public let members: String

  public init(_ kind: Kind) {
    let key = unsafe Self.generate(kind)
    defer { unsafe EVP_PKEY_free(key) }
    privatePEM = unsafe Self.text { unsafe PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    publicPEM = unsafe Self.text { unsafe PEM_write_bio_PUBKEY($0, key) }
    let number = { (name: String) in unsafe Self.number(key, name) }
    let point = { (curve: String) in
      #""kty":"EC","crv":"\#(curve)","x":"\#(number("qx"))","y":"\#(number("qy"))""#
    }
    members =
      switch kind {
      case .rsa, .rsa1024: #""kty":"RSA","n":"\#(number("n"))","e":"\#(number("e"))""#
      case .p256: point("P-256")
      case .p384: point("P-384")
      case .p521: point("P-521")
      case .secp256k1: point("secp256k1")
      case .ed25519: #""kty":"OKP","crv":"Ed25519","x":"\#(unsafe Self.raw(key))""#
      case .x25519: #""kty":"OKP","crv":"X25519","x":"\#(unsafe Self.raw(key))""#
      }
  }

  /// The public key as an element of a set.
  public func jwk(id: String? = nil, _ more: String = "") -> String {
    let members = [members, id.map { #""kid":"\#($0)""# } ?? "", more].filter { !$0.isEmpty }
    return "{\(members.joined(separator: ","))}"
  }

  public static func set(_ keys: [String]) -> String { #"{"keys":[\#(keys.joined(separator: ","))]}"# }

  // MARK: OpenSSL

  private static func generate(_ kind: Kind) -> OpaquePointer? {
    let (type, curve): (String, String?) =
      switch kind {
      case .rsa, .rsa1024: ("RSA", nil)
      case .p256: ("EC", "P-256")
      case .p384: ("EC", "P-384")
      case .p521: ("EC", "P-521")
      case .secp256k1: ("EC", "secp256k1")
      case .ed25519: ("ED25519", nil)
      case .x25519: ("X25519", nil)
      }
    let context = unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil)
    defer { unsafe EVP_PKEY_CTX_free(context) }
    unsafe EVP_PKEY_keygen_init(context)
    if let curve { unsafe EVP_PKEY_CTX_set_group_name(context, curve) }
    if type == "RSA" { unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, kind == .rsa ? 2_048 : 1_024) }
    var key: OpaquePointer?
    unsafe precondition(EVP_PKEY_generate(context, &key) == 1, "no key could be made")
    return unsafe key
  }

  private static func text(_ write: (OpaquePointer?) -> CInt) -> [UInt8] {
    let memory = unsafe BIO_new(BIO_s_mem())
    defer { unsafe BIO_free(memory) }
    unsafe precondition(write(memory) == 1, "a key could not be written")
    var text = [UInt8](repeating: 0, count: 8_192)
    let count = unsafe BIO_read(memory, &text, CInt(text.count))
    return Array(text.prefix(Int(count)))
  }

  /// Coordinates are as long as their field, which those of a curve's order of bits all are.
  private static func number(_ key: OpaquePointer?, _ name: String) -> String {
    var number: OpaquePointer?
    unsafe precondition(EVP_PKEY_get_bn_param(key, name, &number) == 1, "a key without \(name)")
    defer { unsafe BN_free(number) }
    let needed = Int(unsafe BN_num_bits(number) + 7) / 8
    let length = name.hasPrefix("q") ? (Int(unsafe EVP_PKEY_get_bits(key)) + 7) / 8 : needed
    var bytes = [UInt8](repeating: 0, count: length)
    unsafe BN_bn2binpad(number, &bytes, CInt(length))
    return Base64URL.encode(bytes)
  }

  private static func raw(_ key: OpaquePointer?) -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    var count = bytes.count
    unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &count)
    return Base64URL.encode(bytes)
  }
}
