import RoostTesting
import Testing
import Tokens

@testable import RoostServer

/// Keys as settings.
@Suite("key settings")
struct KeyConfigurationTests {
  static let (pem, weak) = (TestKey(.p256), TestKey(.rsa1024))
  static let secret = "0123456789abcdef0123456789abcdef"
  static let files = [
    "/a": secret + "\n", "/b": String(secret.reversed()), "/short": "0123456789",
    "/good.pem": String(decoding: pem.publicPEM, as: UTF8.self),
    "/private.pem": String(decoding: pem.privatePEM, as: UTF8.self),
    "/weak.pem": String(decoding: weak.publicPEM, as: UTF8.self), "/empty": "",
    "/set": TestKey.set([pem.jwk(id: "p"), weak.jwk(id: "w"), pem.jwk(id: "q", #""d":"AAAA""#)]),
    "/good-set": TestKey.set([pem.jwk(id: "p")]), "/ca.pem": "any",
  ]

  static func read(_ arguments: [String], _ environment: [String: String] = [:]) -> ConfigurationReader {
    ConfigurationReader(arguments: arguments, environment: environment) { path in
      guard let content = files[path] else { throw NoFile() }
      return Array(content.utf8)
    }
  }

  @Test(
    arguments: [
      ("/a", nil, nil, "/a"), ("2026=/a", "2026", nil, "/a"), ("PS256:/a", nil, Algorithm.ps256, "/a"),
      ("k.1=HS512:a=b", "k.1", .hs512, "a=b"), ("./a=b", "./a=b", nil, ""), ("XS256:/a", nil, nil, "XS256:/a"),
      ("=/a", nil, nil, "=/a"), ("a b=/c", nil, nil, "a b=/c"),
    ] as [(String, String?, Algorithm?, String)])
  func `where keys are`(text: String, id: String?, algorithm: Algorithm?, path: String) {
    let place = KeySource.Place(text[...])
    if text.hasPrefix("./") {
      #expect(place.id == nil && place.path == text, "a slash is in no key id")
    } else {
      #expect(place.id == id && place.algorithm == algorithm && place.path == path)
    }
  }

  @Test func `several of each kind`() {
    let reader = Self.read(
      [
        "--secret-file", "2025=/a, 2026=HS256:/b", "--public-key-file=/good.pem,k=ES256:/good.pem", "--jwks-file",
        "/good-set", "--issuer", "https://a, https://b", "--audience=chat", "--leeway=0", "--jwks-issuer", "c",
      ])
    #expect(reader.problems == [])
    #expect(reader.configuration.keys.map(\.place.id) == ["2025", "2026", nil, "k", nil])
    #expect(reader.configuration.secret == Array(Self.secret.utf8))
    #expect(reader.configuration.tokenRules.issuers == ["https://a", "https://b"])
    #expect(reader.configuration.tokenRules.audiences == ["chat"] && reader.configuration.tokenRules.leeway == 0)
    let keys = reader.configuration.verificationKeys.keys
    #expect(keys.map(\.algorithm) == [.hs256, .hs256, .es256, .es256, .es256] && keys.last?.issuers == ["c"])
  }

  @Test(arguments: [
    ["--public-key-file", "/good.pem"], ["--jwks-file", "/good-set"], ["--jwks-url", "https://idp.example/keys"],
  ])
  func `one key of any kind is enough`(arguments: [String]) {
    #expect(Self.read(arguments).problems == [])
  }

  @Test func `all bad files are told at once, by name, without what is in them`() {
    let reader = Self.read(
      [
        "--secret-file", "/short,HS512:/a,/nowhere", "--public-key-file",
        "/private.pem,/weak.pem,/empty,RS256:/good.pem",
        "--jwks-file", "/set", "--jwks-url", "http://idp.example/keys", "--jwks-ca-file", "/no-ca",
      ])
    let expected = [
      "--secret-file: /nowhere cannot be read", "jwks-ca-file: /no-ca cannot be read",
      "the secret file /short is shorter",
      "the secret file /a is shorter", "the public key file /private.pem is a private key",
      "the public key file /weak.pem is an RSA key", "the public key file /empty is not a PEM",
      "the public key file /good.pem does not fit", "the key set file /set: key 1 (w) is an RSA key",
      "the key set file /set: key 2 (q) is a private key", "jwks-url: ",
    ]
    #expect(reader.problems.count == expected.count)
    for beginning in expected { #expect(reader.problems.contains { $0.hasPrefix(beginning) }, "\(beginning)") }
    let text = reader.problems.joined() + ConfigurationText.effective(reader.configuration) + "\(reader.configuration)"
    for file in Self.files.values where file.count > 20 {
      for line in file.split(separator: "\n") where !line.hasPrefix("-----") && line.count > 8 {
        #expect(!text.contains(line), "\(line)")
      }
    }
  }

  @Test(arguments: [
    "http://a/", "https://", "https:///x", "https://a b/", "ftp://a", "a", "https://a\u{7F}/",
  ])
  func `addresses that are none`(url: String) {
    #expect(Self.read(["--jwks-url", url]).problems.map { $0.prefix { $0 != ":" } } == ["jwks-url"])
  }

  @Test func `an address with a user in it is refused on the command line`() {
    #expect(Self.read(["--jwks-url", "https://user@a/"]).problems.first?.hasPrefix("--jwks-url") == true)
  }

  @Test func `without any key there is one word about it`() {
    let problems = Self.read([]).problems
    #expect(problems.count == 1 && problems[0].contains("--jwks-url") && problems[0].contains("ROOST_SECRET"))
  }

  @Test(arguments: [
    ([], 0), (["--require-expiry=false"], 1), (["--origins", "*"], 1), (["--jwks-url", "https://a/"], 2),
    (["--jwks-url", "https://a/", "--issuer", "i"], 1), (["--jwks-url", "https://a/", "--jwks-issuer", "i"], 1),
    (["--jwks-url", "https://a/", "--issuer", "i", "--audience", "c"], 0),
  ])
  func `what is insecure is said`(arguments: [String], count: Int) {
    let reader = Self.read(arguments, ["ROOST_SECRET": Self.secret])
    #expect(reader.problems == [] && reader.configuration.warnings.count == count)
  }
}
