/// Why a token is refused. For counters and tests: clients get one answer for all (SPEC section 1).
public enum TokenError: String, Error, CaseIterable, Sendable {
  case tooLong = "too_long"
  /// Not three base64url segments that hold strict JSON objects and a signature.
  case malformed
  /// A header that asks for what we never do: `jku`, `x5u`, `jwk`, `x5c`, `crit`, or a `kid` of the wrong shape.
  case forbiddenHeader = "forbidden_header"
  /// The header's `alg` is not that of any key that fits; `none` always.
  case wrongAlgorithm = "wrong_algorithm"
  /// The header's `kid` names no key, and none without a name fits.
  case unknownKey = "unknown_key"
  /// No key fits, but some are not there yet: see ``TokenVerifier/init(keys:rules:isMissingKeys:)``.
  case missingKeys = "missing_keys"
  case badSignature = "bad_signature"
  case missingExpiry = "missing_expiry"
  case expired
  case notYetValid = "not_yet_valid"
  case wrongIssuer = "wrong_issuer"
  case wrongAudience = "wrong_audience"
  /// A claim of the wrong type or shape, or no user id.
  case badClaims = "bad_claims"
}
