/// A token taken apart (JWS compact serialization, RFC 7515 section 7.1), not yet believed.
struct CompactToken {
  let algorithm: String
  let keyID: String?
  /// What the signature is about: the first two segments and their dot.
  let signedPart: Range<Int>
  let signature: [UInt8]
  private let payload: [UInt8]

  /// Bytes a token may have at most.
  static let longest = 4096

  init(_ token: borrowing RawSpan) throws(TokenError) {
    guard token.byteCount <= Self.longest else { throw .tooLong }
    guard
      let firstDot = Self.dot(in: token, from: 0), let secondDot = Self.dot(in: token, from: firstDot + 1),
      Self.dot(in: token, from: secondDot + 1) == nil,
      let header = Base64URL.decode(0..<firstDot, of: token).flatMap({ JSONParser.object($0) }),
      let payload = Base64URL.decode(firstDot + 1..<secondDot, of: token),
      let signature = Base64URL.decode(secondDot + 1..<token.byteCount, of: token), !signature.isEmpty,
      let algorithm = header["alg"]?.string
    else { throw .malformed }
    for name in Self.forbidden where header.has(name) { throw .forbiddenHeader }
    if header.has("kid") {
      guard let id = header["kid"]?.string, KeyID.isValid(id) else { throw .forbiddenHeader }
      keyID = id
    } else {
      keyID = nil
    }
    (self.algorithm, self.payload, self.signature) = (algorithm, payload, signature)
    signedPart = 0..<secondDot
  }

  /// The claims set. Call it only after the signature was found good.
  func claims() throws(TokenError) -> JSONObject {
    guard let claims = JSONParser.object(payload) else { throw .malformed }
    return claims
  }

  /// Headers that let a token bring or fetch its own key, or change the rules.
  private static let forbidden = ["jku", "x5u", "jwk", "x5c", "crit"]

  private static func dot(in token: borrowing RawSpan, from start: Int) -> Int? {
    for index in start..<token.byteCount
    where unsafe token.unsafeLoad(fromByteOffset: index, as: UInt8.self) == UInt8(ascii: ".") { return index }
    return nil
  }
}
