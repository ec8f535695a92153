// Tokens: who a client is, proved by a JSON Web Token (RFC 7515, RFC 7519, RFC 8725).
//
//     bytes ─► TokenVerifier ─► Claims            or one TokenError: counted by reason, answered without one
//                │   │
//                │   └─ VerificationKey            the key decides the algorithm, the token only has to agree
//                └─ CompactToken, JSONValue        strict base64url, strict JSON: one reading of every token
//     Claims ─► TokenMinter ─► text               for `roost token` and tests
//
// The order matters: what is cheap and needs no trust comes first, the signature next, and nothing in the claims is
// looked at before the signature is good.
//
// A further algorithm is a case of Algorithm and a kind of key material in VerificationKey, nothing else. A key set
// (JWKS) is a list of keys with ids, which TokenVerifier already takes.
//
// OpenSSL is reached in two places only: Signatures.swift and SecureRandom.swift.
