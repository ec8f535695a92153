import RoostTesting
import Tokens

@testable import Tokens

let secret = Array("a secret of thirty-two bytes, no less".utf8)
let now: Int64 = 1_800_000_000

/// A verifier with `secret` alone.
func verifier(_ rules: TokenVerifier.Rules = .init()) throws -> TokenVerifier {
  TokenVerifier(keys: [try VerificationKey(secret: secret)], rules: rules)
}

/// A correctly signed token with any header and payload, sensible or not.
func signed(
  _ payload: String, header: String = #"{"alg":"HS256"}"#, secret: [UInt8] = secret
) -> String {
  let input = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
  return input + "." + signature(of: input, secret: secret)
}

func signature(of input: String, secret: [UInt8] = secret) -> String {
  let bytes = Array(input.utf8)
  return Base64URL.encode(unsafe Signatures.hmac(.hs256, 0..<bytes.count, of: bytes.span.bytes, secret: secret))
}

extension TokenVerifier {
  func verify(_ token: String, now: Int64 = now) throws(TokenError) -> Claims {
    try verify(Array(token.utf8), now: now)
  }
}

/// The reason for a refusal, or nil for a good token.
func refusal(_ token: String, _ rules: TokenVerifier.Rules = .init(), now: Int64 = now) throws -> TokenError? {
  let verifier = try verifier(rules)
  do throws(TokenError) {
    _ = try verifier.verify(token, now: now)
    return nil
  } catch {
    return error
  }
}

/// A payload that is good but for `more`.
func payload(_ more: String, exp: String? = "1800000060", sub: String? = "\"ann\"") -> String {
  let members = [exp.map { "\"exp\":\($0)" }, sub.map { "\"sub\":\($0)" }, more.isEmpty ? nil : more]
  return "{\(members.compactMap { $0 }.joined(separator: ","))}"
}
