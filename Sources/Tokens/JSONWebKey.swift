/// One key of a set (RFC 7517 section 4).
struct JSONWebKey {
  /// What becomes of it.
  enum Reading {
    case key(VerificationKey)
    /// Not for us, and nothing wrong with it: for encryption, or of a kind we do not use (RFC 7517 section 5).
    case foreign
    case refused(KeyError)
  }

  private let members: JSONObject

  init(_ members: JSONObject) { self.members = members }

  /// The `kid`, when it is one that may be shown.
  var id: String? { members["kid"]?.string.flatMap { KeyID.isValid($0) ? $0 : nil } }

  func read(allowsSecrets: Bool) -> Reading {
    if let use = members["use"], use != .string("sig") { return .foreign }
    if let operations = members["key_ops"] {
      guard case .array(let list) = operations, list.contains(.string("verify")) else { return .foreign }
    }
    do throws(KeyError) {
      if members.has("kid"), id == nil { throw KeyError.badKeyID }
      switch members["kty"]?.string {
      case "oct":
        guard allowsSecrets else { throw KeyError.publicSecret }
        guard let algorithm = try algorithm(.secret) else { return .foreign }
        return .key(try VerificationKey(secret: bytes("k"), algorithm: algorithm, id: id))
      case "RSA":
        return try read(.rsa) { () throws(KeyError) in try PublicKey(modulus: bytes("n"), exponent: bytes("e")) }
      case "EC":
        guard let curve = curve else { return .foreign }
        return try read(curve) { () throws(KeyError) in try PublicKey(curve: curve, x: bytes("x"), y: bytes("y")) }
      case "OKP" where members["crv"]?.string == "Ed25519":
        return try read(.ed25519) { () throws(KeyError) in try PublicKey(ed25519: bytes("x")) }
      default: return .foreign
      }
    } catch {
      return .refused(error)
    }
  }

  private func read(
    _ family: Algorithm.Family, _ make: () throws(KeyError) -> PublicKey
  ) throws(KeyError) -> Reading {
    // Whoever can read the set can sign with it: such a key proves nothing.
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth"] where members.has(name) { throw .privateKey }
    guard let algorithm = try algorithm(family) else { return .foreign }
    return .key(try VerificationKey(make(), algorithm, id))
  }

  private var curve: Algorithm.Family? {
    switch members["crv"]?.string {
    case "P-256": .p256
    case "P-384": .p384
    default: nil
    }
  }

  /// The `alg`, or what keys of the family are for without one; nil when it is none of ours (encryption).
  private func algorithm(_ family: Algorithm.Family) throws(KeyError) -> Algorithm? {
    guard members.has("alg") else { return family.algorithm }
    guard let name = members["alg"]?.string else { throw .wrongAlgorithm }
    guard let algorithm = Algorithm(rawValue: name) else { return nil }
    guard algorithm.family == family else { throw .wrongAlgorithm }
    return algorithm
  }

  private func bytes(_ name: String) throws(KeyError) -> [UInt8] {
    guard let text = members[name]?.string.map({ Array($0.utf8) }),
      let bytes = unsafe Base64URL.decode(0..<text.count, of: text.span.bytes)
    else { throw .invalid }
    return bytes
  }
}
