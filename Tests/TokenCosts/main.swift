import Glibc
import RoostTesting
import Tokens

// What judging a token costs, in microseconds of CPU: good ones of each algorithm, and bad ones of each kind.
//
//     swift run -c release -Xswiftc -cross-module-optimization token-costs

func cpuMicroseconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}

let now: Int64 = 1_800_000_000
let secret = SecureRandom.bytes(64)

/// The best of seven, so that what else the machine does counts little.
func cost(_ verifier: TokenVerifier, _ token: String, isGood: Bool) -> Double {
  let bytes = Array(token.utf8)
  precondition(((try? verifier.verify(bytes, now: now)) != nil) == isGood, "judged wrongly: \(token)")
  return (0..<7).map { _ in
    let start = cpuMicroseconds()
    var count = 0.0
    while cpuMicroseconds() - start < 60_000 {
      for _ in 0..<20 { _ = try? verifier.verify(bytes, now: now) }
      count += 20
    }
    return (cpuMicroseconds() - start) / count
  }.min() ?? 0
}

func show(_ name: String, _ costs: Double...) {
  let numbers = costs.map { "\(($0 * 10).rounded() / 10)" }
  print("| \(name) | \(numbers.joined(separator: " | ")) |")
}

func signingKey(_ algorithm: Algorithm) throws -> SigningKey {
  guard let kind = TestKey.Kind.allCases.first(where: { $0.algorithms.contains(algorithm) }) else {
    return try SigningKey(secret: secret, algorithm: algorithm)
  }
  return try SigningKey(pem: TestKey(kind).privatePEM, algorithm: algorithm)
}

let claims = Claims(
  userID: "12345", name: "Ann Example", rooms: RoomGrants(join: ["team-*", "lobby"], send: ["team-7"]),
  expiresAt: now + 600, issuedAt: now, tokenID: "a1b2c3d4")

func mint(_ key: SigningKey, _ claims: Claims = claims, id: String? = nil) throws -> String {
  try TokenMinter(key: key, keyID: id).mint(claims)
}

/// What the key signed, under other claims.
func forged(_ good: String, _ key: SigningKey) throws -> String {
  var changed = claims
  changed.userID = "12346"
  let other = try mint(key, changed)
  guard let end = good.lastIndex(of: "."), let otherEnd = other.lastIndex(of: ".") else { return good }
  return String(other[..<otherEnd] + good[end...])
}

print("| algorithm | good | bad signature |\n|---|---|---|")
for algorithm in Algorithm.allCases {
  let key = try signingKey(algorithm)
  let verifier = TokenVerifier(keys: [try key.verificationKey()])
  let good = try mint(key)
  show(algorithm.rawValue, cost(verifier, good, isGood: true), cost(verifier, try forged(good, key), isGood: false))
}

let key = try signingKey(.rs256)
let verifier = TokenVerifier(keys: [try key.verificationKey(id: "k")])
var expired = claims
expired.expiresAt = 1
let long = String(repeating: "a", count: 4_096)
let header = { (text: String) in Base64URL.encode(Array(text.utf8)) + "." + Base64URL.encode(Array("{}".utf8)) + ".AAAA"
}
let bad: [(String, String)] = [
  ("over 4 KiB", long + "a"), ("4 KiB without a dot", long), ("4 KiB of header", long.dropLast(4) + ".a.a"),
  ("a header of 2 KiB of brackets", header(String(repeating: "[", count: 2_048))),
  ("alg none", header(#"{"alg":"none"}"#)),
  ("jku", header(#"{"alg":"RS256","jku":"https://a"}"#)), ("unknown kid", try mint(key, id: "other")),
  ("RS256 key, HS256 token", try mint(signingKey(.hs256), id: "k")), ("expired", try mint(key, expired, id: "k")),
]
print("\n| bad token (RS256 key) | cost |\n|---|---|")
for (name, token) in bad { show(name, cost(verifier, token, isGood: false)) }
let strangers = try (0..<64).map { _ in try signingKey(.es384).verificationKey() }
show(
  "64 ES384 keys, token without kid", cost(TokenVerifier(keys: strangers), try mint(signingKey(.es384)), isGood: false))
