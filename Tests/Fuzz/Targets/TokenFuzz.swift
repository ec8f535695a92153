import COpenSSL
import Foundation
import Tokens

/// Tokens as clients bring them, and what nobody but the holder of the key could bring.
///
/// - Only what somebody signed with the key is believed: of strangers' bytes, the tokens in `known`.
/// - What was signed is believed only if Foundation reads the same from it: algorithm, user, times.
/// - A signed token with one bit changed is not believed.
enum TokenFuzz {
  /// RFC 7515, appendix A.1, has this key.
  static let secret = Array("a secret of thirty-two bytes, no less".utf8)
  static let now: Int64 = 1_800_000_000

  static func run(_ bytes: [UInt8]) throws(Finding) {
    if (try? verifier?.verify(bytes, now: now)) != nil {
      try demand(known.contains(bytes), "believed: \(String(decoding: bytes, as: UTF8.self))")
    }
    try checkSigned(header: Array(#"{"alg":"HS256","kid":"a"}"#.utf8), claims: bytes)
    try checkSigned(header: bytes, claims: Array(#"{"sub":"ann","exp":1800000060}"#.utf8))
  }

  /// The token with this header and these claims, signed.
  static func signed(header: [UInt8], claims: [UInt8]) -> [UInt8] {
    let input = Array((Base64URL.encode(header) + "." + Base64URL.encode(claims)).utf8)
    return input + Array(("." + Base64URL.encode(code(input))).utf8)
  }

  private static let verifier: TokenVerifier? = {
    guard
      let named = try? VerificationKey(secret: secret, id: "a"),
      let unnamed = try? VerificationKey(secret: secret.reversed() + secret)
    else { return nil }
    return TokenVerifier(keys: [named, unnamed])
  }()

  /// Good tokens that are in the corpus.
  private static let known: Set<[UInt8]> = [
    signed(header: Array(#"{"alg":"HS256"}"#.utf8), claims: Array(#"{"sub":"ann","exp":1800000060}"#.utf8)),
    signed(
      header: Array(#"{"alg":"HS256","typ":"JWT","kid":"a"}"#.utf8),
      claims: Array(
        #"{"sub":"7","name":"Ann","role":"admin","exp":1900000000.5,"rooms":{"join":["*"],"send":["a.*"]}}"#.utf8)),
  ]

  private static func checkSigned(header: [UInt8], claims: [UInt8]) throws(Finding) {
    var token = signed(header: header, claims: claims)
    guard let believed = try? verifier?.verify(token, now: now) else { return }
    try checkHeader(header)
    try checkClaims(believed, claims)
    var sum = 0
    for byte in token { sum = (sum &* 31 &+ Int(byte)) & 0xFFFF }
    token[sum % token.count] ^= UInt8(1 << (sum % 7))
    try demand((try? verifier?.verify(token, now: now)) == nil, "believed with a bit changed")
  }

  private static func checkHeader(_ header: [UInt8]) throws(Finding) {
    guard let theirs = try? JSONSerialization.jsonObject(with: Data(header)) as? [String: Any] else {
      // A number that no Double holds, in a member that nobody looks at.
      return try demand(JSONDifference.excuses(header, nil), "believed a header that Foundation does not take")
    }
    try demand(theirs["alg"] as? String == "HS256", "another algorithm: \(theirs)")
    for name in ["jku", "x5u", "jwk", "x5c", "crit"] { try demand(theirs[name] == nil, "believed with \(name)") }
    try demand(theirs["kid"].map { $0 as? String == "a" } ?? true, "believed with another key's name")
  }

  private static func checkClaims(_ believed: Claims, _ claims: [UInt8]) throws(Finding) {
    guard let theirs = try? JSONSerialization.jsonObject(with: Data(claims)) as? [String: Any] else {
      // A number that no Double holds, in a claim that nobody looks at.
      return try demand(JSONDifference.excuses(claims, nil), "believed what Foundation does not take")
    }
    let subject = [theirs["sub"], theirs["user_id"]].lazy.compactMap { $0 is NSNull ? nil : $0 }.first
    let user = subject as? String ?? (subject as? NSNumber)?.stringValue
    let isExact = subject is String || believed.userID.utf8.count < 16
    try demand(
      !isExact || user.map { Array($0.utf8) } == Array(believed.userID.utf8), "another user: \(user ?? "none")")
    try demand((1...128).contains(believed.userID.utf8.count), "a user id of \(believed.userID.utf8.count) bytes")
    guard let expiry = (theirs["exp"] as? NSNumber)?.doubleValue else { throw Finding(description: "no expiry") }
    try demand(expiry > Double(now) && believed.expiresAt.map { Double($0) <= expiry } == true, "expired")
  }

  /// HMAC with SHA-256, by OpenSSL directly: what is checked here must not be our own.
  private static func code(_ input: [UInt8]) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: 32) { code, count in
      var length: UInt32 = 0
      _ = unsafe HMAC(EVP_sha256(), secret, CInt(secret.count), input, input.count, code.baseAddress, &length)
      count = Int(length)
    }
  }
}
