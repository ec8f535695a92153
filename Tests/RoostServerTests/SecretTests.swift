import RedisRelay
import Testing

@testable import RoostServer

private let secret = "0123456789abcdef0123456789abcdef"
private let key = "key-key-key-key-key-key-key-key-key"

private func read(
  _ arguments: [String] = [], _ environment: [String: String] = ["ROOST_SECRET": secret], files: [String: String] = [:],
  exposed: Set<String> = []
) -> ConfigurationReader {
  ConfigurationReader(arguments: arguments, environment: environment, isExposed: exposed.contains) { path in
    guard let content = files[path] else { throw NoFile() }
    return Array(content.utf8)
  }
}

@Suite("secrets")
struct SecretTests {
  @Test func `come from a file before the environment, a flag before both`() {
    let files = ["/flag": "flag-" + secret + "\n", "/variable": "variable-" + secret + "\r\n"]
    for setting in SecretSetting.all {
      var environment = [setting.variable: "plain-" + secret, "ROOST_REDIS_URL": "redis://h"]
      if setting.name != "secret" { environment["ROOST_SECRET"] = secret }
      func value(_ reader: ConfigurationReader) -> String {
        #expect(reader.problems == [])
        let configuration = reader.configuration
        let text =
          switch setting.name {
          case "secret": configuration.secret
          case "api-key": Array(configuration.apiKeys.joined(separator: [10]))
          default: Array(configuration.redisPassword.utf8)
          }
        return String(decoding: text, as: UTF8.self)
      }
      #expect(value(read([], environment)) == "plain-" + secret)
      environment[setting.fileVariable] = "/variable"
      #expect(value(read([], environment, files: files)) == "variable-" + secret)
      #expect(value(read(["--\(setting.fileFlag)", "/flag"], environment, files: files)) == "flag-" + secret)
    }
  }

  @Test(arguments: SecretSetting.all.flatMap { [["--\($0.name)", secret], ["--\($0.name)=" + secret]] })
  func `are refused on the command line and not repeated`(arguments: [String]) {
    let reader = read(arguments)
    #expect(reader.problems.count == 1)
    #expect(!reader.problems[0].contains(secret))
  }

  @Test(arguments: [[:], ["ROOST_SECRET": ""], ["ROOST_SECRET": "0123456789abcdef0123456789abcde"]])
  func `missing or short ones are refused`(environment: [String: String]) {
    let problems = read([], environment).problems
    #expect(problems.count == 1)
    #expect(problems.first?.contains("secret") == true)
  }

  @Test func `a file that cannot be read is told, but not what may be the secret in its place`() {
    #expect(read(["--secret-file", "/nowhere"]).problems.first?.contains("/nowhere") == true)
    let mistaken = read(["--secret-file", secret]).problems
    #expect(mistaken.isEmpty == false)
    #expect(mistaken.allSatisfy { !$0.contains(secret) })
  }

  @Test func `a file that others can read is remarked on`() {
    let files = ["/s": secret, "/k": key]
    let reader = read(["--secret-file", "/s", "--api-key-file", "/k"], [:], files: files, exposed: ["/k"])
    #expect(reader.problems == [])
    #expect(reader.remarks == ["/k can be read by others than its owner: chmod 600 /k"])
  }

  @Test(
    arguments: [
      (0o600, true, false), (0o400, true, false), (0o640, true, true), (0o604, true, true), (0o644, true, true),
      (0o640, false, false), (0o440, false, false), (0o644, false, true), (0o604, false, true),
    ] as [(UInt32, Bool, Bool)])
  func `a group may read what belongs to somebody else`(mode: UInt32, isOwn: Bool, isExposed: Bool) {
    #expect(SecretSetting.isExposed(mode: 0o100_000 | mode, isOwn: isOwn) == isExposed)
  }

  @Test func `there may be several API keys, one a line`() {
    let reader = read(["--api-key-file", "/k"], files: ["/k": "\(key)-1\r\n\n\(key)-2\n"])
    #expect(reader.problems == [])
    #expect(reader.configuration.apiKeys == ["\(key)-1", "\(key)-2"].map { Array($0.utf8) })
  }

  @Test(arguments: [
    "", "\n\n", "short", "\(key)\nshort", "\(key) with blanks", "\(key)é", String(repeating: "x", count: 513),
  ])
  func `API keys that could be guessed or not be sent keep the node from starting`(text: String) {
    let problems = read(["--api-key-file", "/k"], files: ["/k": text]).problems
    #expect(problems.count == 1)
    #expect(problems.first?.contains("api-key") == true)
    for line in text.split(separator: "\n") { #expect(problems.allSatisfy { !$0.contains(line) }) }
  }

  @Test(arguments: [
    "redis://:pass@h", "redis://user:pass@h:1/2", "redis://pass@h", "redis://user:pa@ss@h", "unix://u:pass@/s",
  ])
  func `a URL with a password is refused on the command line and taken from the environment`(url: String) {
    let byFlag = read(["--redis-url", url])
    #expect(byFlag.problems.count == 1)
    #expect(byFlag.problems.first?.contains("--redis-password-file") == true)
    #expect(byFlag.problems.allSatisfy { !$0.contains("pass@") && !$0.contains("pa@ss") })
    #expect(read([], ["ROOST_SECRET": secret, "ROOST_REDIS_URL": url]).problems == [])
  }

  @Test func `a password may stand apart from its URL`() throws {
    let environment = ["ROOST_SECRET": secret, "ROOST_REDIS_PASSWORD": "p@ss:w%rd"]
    let reader = read(["--redis-url", "redis://user:@h"], environment)
    #expect(reader.problems == [])
    let server = try reader.configuration.redisServers()[0]
    #expect(server.user == "user")
    #expect(server.password == "p@ss:w%rd")
    #expect(read([], environment).problems == ["redis-password: there is no redis-url"])
    let twice = read([], environment.merging(["ROOST_REDIS_URL": "redis://:other@h"]) { $1 }).problems
    #expect(twice == ["redis-url: there are two Redis passwords, one in the URL and one of its own"])
  }

  @Test func `are shown nowhere`() {
    let environment = [
      "ROOST_SECRET": secret, "ROOST_API_KEY": key, "ROOST_REDIS_URL": "redis://user:pass@word@redis:6379/1",
    ]
    let configuration = read([], environment).configuration
    var dumped = ""
    dump(configuration, to: &dumped)
    let apart = read([], ["ROOST_SECRET": secret, "ROOST_REDIS_PASSWORD": "pass", "ROOST_REDIS_URL": "redis://h"])
    let shown = [
      ConfigurationText.effective(configuration), "\(configuration)", String(reflecting: configuration), dumped,
      "\(apart.configuration)",
    ]
    for text in shown {
      for word in [secret, key, "pass@", "word@"] { #expect(!text.contains(word)) }
      #expect(!text.contains("pass\n") && !text.contains("\"pass\""))
    }
    #expect(shown[0].contains("redis://***@redis:6379/1"))
    let several = read([], ["ROOST_SECRET": secret, "ROOST_REDIS_URL": "redis://a,redis://u:pass@b,redis://c"])
    #expect(ConfigurationText.effective(several.configuration).contains("redis://***@b,redis://c"))
  }

  @Test(arguments: [
    ("", false), ("redis://h", false), ("redis://u:@h", false), ("redis://:@h", false), ("unix:///a@b:c", false),
    ("redis://h/0", false), ("redis://p@h", true), ("redis://:p@h", true), ("unix://:p@/s", true), ("u:p@h", true),
    ("redis://a,redis://b/1", false), ("redis://a,redis://u:p@b", true), ("redis://u:p,q@a", true),
  ])
  func `a URL holds a password or not`(url: String, holds: Bool) {
    #expect(CredentialURL.holdsPassword(url) == holds)
  }
}
