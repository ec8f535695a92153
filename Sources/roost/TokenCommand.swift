import EventLoops
import RoostServer
import Tokens

/// `roost token`: prints a token, and nothing else.
enum TokenCommand {
  static func run(_ arguments: [String]) -> CInt {
    var flags = Flags(
      arguments,
      values: [
        "user", "name", "role", "lifetime", "rooms-join", "rooms-send", "issuer", "audience", "secret-file",
        "private-key-file",
      ],
      switches: ["help"])
    if flags.has("help") {
      Console.print(help)
      return 0
    }
    let lifetime = flags.integer("lifetime", 1...315_360_000, default: 86_400)
    let key = signingKey(&flags)
    if flags["user"].map({ (1...128).contains($0.utf8.count) }) != true { flags.refuse("--user: 1 to 128 bytes") }
    flags.rest.forEach { flags.refuse("\"\($0)\" is not a flag") }
    guard !flags.complain("token"), let user = flags["user"], let key else { return 2 }

    let now = wallClockMilliseconds() / 1_000
    let claims = Claims(
      userID: user, name: flags["name"], role: flags["role"],
      rooms: RoomGrants(join: globs(flags["rooms-join"]), send: globs(flags["rooms-send"])),
      expiresAt: now + Int64(lifetime), issuedAt: now)
    var rules = TokenVerifier.Rules()
    (rules.issuers, rules.audiences) = ([flags["issuer"]].compactMap(\.self), [flags["audience"]].compactMap(\.self))
    guard let token = mint(claims, key.key, id: key.id, rules) else {
      Console.complain("roost token: a node would refuse these claims: see --help")
      return 2
    }
    Console.print(token)
    return 0
  }

  private static func signingKey(_ flags: inout Flags) -> (key: SigningKey, id: String?)? {
    if let file = flags["private-key-file"] {
      let place = KeySource.Place(file[...])
      do {
        return (try SigningKey(pem: Console.readFile(place.path), algorithm: place.algorithm), place.id)
      } catch {
        flags.refuse("--private-key-file: \(place.path) cannot be used: \(error)")
        return nil
      }
    }
    let (source, problems) = SharedSecret.source(file: flags["secret-file"])
    problems.forEach { flags.refuse($0) }
    if source == nil && problems.isEmpty { flags.refuse("there is no secret: set ROOST_SECRET, or --secret-file") }
    guard let source, let key = try? SigningKey(secret: source.bytes, algorithm: source.place.algorithm ?? .hs256)
    else {
      return nil
    }
    return (key, source.place.id)
  }

  /// `nil` when the token would not be taken by a node with the same secret.
  static func mint(_ claims: Claims, _ secret: [UInt8]) -> String? {
    (try? SigningKey(secret: secret)).flatMap { mint(claims, $0, id: nil, .init()) }
  }

  private static func mint(
    _ claims: Claims, _ key: SigningKey, id: String?, _ rules: TokenVerifier.Rules
  ) -> String? {
    guard let token = (try? TokenMinter(key: key, keyID: id, rules: rules))?.mint(claims),
      let verifier = try? TokenVerifier(keys: [key.verificationKey(id: id)], rules: rules),
      (try? verifier.verify(Array(token.utf8), now: wallClockMilliseconds() / 1_000)) != nil
    else { return nil }
    return token
  }

  private static func globs(_ text: String?) -> [String]? {
    text.map { $0.split(separator: ",").map(String.init) }
  }

  private static let help = """
    roost token --user ID [--name TEXT] [--role admin] [--lifetime SECONDS] [--rooms-join GLOBS] [--rooms-send GLOBS]

      --user              who: 1 to 128 bytes
      --name              what others see; the user id when absent
      --role              admin may send to everybody
      --lifetime          seconds until it expires; default 86400
      --rooms-join        rooms the user may join, between commas, * for any run of characters; any room when absent
      --rooms-send        rooms the user may send to
      --issuer            who says so (iss)
      --audience          for whom (aud)
      --secret-file       [kid=][ALG:]file with the secret; or ROOST_SECRET_FILE, or the secret itself in ROOST_SECRET
      --private-key-file  [kid=][ALG:]file with a private key in PEM, instead of a secret
    """
}
