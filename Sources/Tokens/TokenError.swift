/// Why a token is refused. For counters and tests: clients get one answer for all (SPEC section 1).
public enum TokenError: Int, Error, CaseIterable, Sendable {
  case tooLong
  /// Not three base64url segments that hold strict JSON objects and a signature.
  case malformed
  /// A header that asks for what we never do: `jku`, `x5u`, `jwk`, `x5c`, `crit`, or a `kid` of the wrong shape.
  case forbiddenHeader
  /// The header's `alg` is not that of any key that fits; `none` always.
  case wrongAlgorithm
  /// The header's `kid` names no key, and none without a name fits.
  case unknownKey
  /// No key fits, but some are not there yet: see ``TokenVerifier/init(keys:rules:isMissingKeys:)``.
  case missingKeys
  case badSignature
  case missingExpiry
  case expired
  case notYetValid
  case wrongIssuer
  case wrongAudience
  /// A claim of the wrong type or shape, or no user id.
  case badClaims
}
