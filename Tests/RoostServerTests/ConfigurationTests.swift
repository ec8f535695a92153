import HTTPCore
import Testing
import Tokens

@testable import RoostServer

private let secret = "0123456789abcdef0123456789abcdef"

struct NoFile: Error {}

private func read(
  _ arguments: [String] = [], _ environment: [String: String] = ["ROOST_SECRET": secret], files: [String: String] = [:]
) -> ConfigurationReader {
  ConfigurationReader(arguments: arguments, environment: environment) { path in
    guard let content = files[path] else { throw NoFile() }
    return Array(content.utf8)
  }
}

@Suite("configuration")
struct ConfigurationTests {
  @Test func `a secret is all that must be given`() {
    var expected = ServerConfiguration()
    expected.secret = Array(secret.utf8)
    #expect(read().configuration == expected)
    #expect(read().problems == [])
  }

  @Test(arguments: Setting.all.map(\.name))
  func `every setting reads back what it shows`(name: String) throws {
    let setting = try #require(Setting.all.first { $0.name == name })
    let value = setting.value(in: ServerConfiguration())
    let byFlag = read(["--\(name)=\(value)"])
    let byVariable = read([], ["ROOST_SECRET": secret, setting.variable: value])
    #expect(byFlag.problems == [])
    #expect(byVariable.problems == [])
    #expect(byFlag.configuration == read().configuration)
    #expect(byVariable.configuration == read().configuration)
  }

  @Test func `names are unique and look like flags`() {
    let names = Setting.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.utf8.allSatisfy { ("a"..."z").contains(UnicodeScalar($0)) || $0 == 45 } })
  }

  @Test func `a value may follow, or stand behind an equals sign`() {
    #expect(read(["--redis-url", "redis://a:1"]).configuration.redisURL == "redis://a:1")
    #expect(read(["--redis-url=redis://a:1"]).configuration.redisURL == "redis://a:1")
    #expect(read([], ["ROOST_SECRET": secret, "ROOST_REDIS_URL": "redis://b"]).configuration.redisURL == "redis://b")
  }

  @Test func `several servers stand in one list, each once`() throws {
    let reader = read([], ["ROOST_SECRET": secret, "ROOST_REDIS_URL": "redis://a:1,rediss://:p@b/2,unix:///c"])
    #expect(reader.problems == [])
    let servers = try reader.configuration.redisServers()
    #expect(servers.map { "\($0)" } == ["redis://a:1/0", "rediss://b:6379/2", "unix:///c?db=0"])
    func problems(_ list: String) -> [String] { read(["--redis-url", list], ["ROOST_SECRET": secret]).problems }
    #expect(problems("redis://a,redis://b,redis://a") == ["redis-url: a server is named twice"])
    #expect(problems("redis://a,") == ["redis-url: a Redis URL begins with redis://, rediss:// or unix://"])
    let many = (1...33).map { "redis://a:\($0)" }.joined(separator: ",")
    #expect(problems(many) == ["redis-url: at most 32 servers"])
  }

  @Test func `a topology is one of two`() {
    #expect("\(read(["--relay-topology", "rooms"]).configuration.relayTopology)" == "rooms")
    #expect(!read(["--relay-topology", "ring"], ["ROOST_SECRET": secret]).problems.isEmpty)
  }

  @Test func `flags win over the environment`() {
    let reader = read(["--port", "9000"], ["ROOST_SECRET": secret, "ROOST_PORT": "9001", "ROOST_HOST": "127.0.0.1"])
    #expect(reader.configuration.port == 9000)
    #expect(reader.configuration.host == "127.0.0.1")
  }

  @Test(arguments: [
    ("4096", 4_096), ("64k", 65_536), ("1m", 1_048_576), ("1M", 1_048_576), ("1g", 1 << 30),
  ])
  func `sizes take units`(text: String, bytes: Int) {
    let reader = read(["--queue-size", text])
    #expect(reader.problems == [])
    #expect(reader.configuration.limits.queueBytes == bytes)
  }

  @Test(arguments: [
    "--message-size=0", "--message-size=65537", "--message-size=4kb", "--message-size=k",
    "--message-size=9223372036854775807g", "--port=65536", "--port=-1", "--port=", "--echo=perhaps",
    "--rate-per-second=nan", "--rate-per-second=0", "--log-format=xml", "--log-level=loud", "--chat-allowed=some",
    "--pong-wait=1.5", "--shards=129", "--slow-consumer=wait",
  ])
  func `values that are none are refused by name`(flag: String) throws {
    let reader = read([flag])
    #expect(reader.problems.count == 1)
    #expect(reader.problems[0].hasPrefix(String(flag.prefix { $0 != "=" }) + ": "))
  }

  @Test(arguments: [("--echo", true), ("--echo=on", true), ("--echo=false", false), ("--echo=0", false)])
  func `switches need no value`(flag: String, isOn: Bool) {
    let reader = read([flag, "--port", "9000"])
    #expect(reader.problems == [])
    #expect(reader.configuration.echo.isEnabled == isOn)
    #expect(reader.configuration.port == 9000)
  }

  @Test func `all problems are told at once`() {
    let reader = read(
      ["--prot", "9000", "--port", "x", "loose", "--host", "localhost", "--redis-url", "http://x", "--pong-wait=10"],
      ["ROOST_SECRET": "short", "ROOST_SHARDS": "many"])
    let expected = [
      "ROOST_SHARDS: ", "--prot: ", "--port: ", "\"loose\"", "the secret", "host: ", "redis-url: ", "ping-period",
    ]
    #expect(reader.problems.count == expected.count)
    for (problem, beginning) in zip(reader.problems, expected) {
      #expect(problem.hasPrefix(beginning), "\(problem)")
    }
  }

  @Test func `an unknown flag is told with what was perhaps meant`() {
    #expect(read(["--redis", "redis://a"]).problems == ["--redis: there is no such flag (--redis-url?)"])
    #expect(read(["--x"]).problems == ["--x: there is no such flag"])
    #expect(read(["--port"]).problems == ["--port: a value is missing"])
  }

  @Test func `unknown variables are only remarked on`() {
    let reader = read([], ["ROOST_SECRET": secret, "ROOST_REDIS_ULR": "x", "PATH": "y"])
    #expect(reader.problems == [])
    #expect(reader.remarks == ["ROOST_REDIS_ULR is not a setting"])
  }

  @Test func `trusted proxies`() throws {
    let some = read(["--trusted-proxies", "10.0.0.0/8, fd00::1 ,192.0.2.0/24", "--proxy-protocol", "on"])
    #expect(some.problems == [] && some.configuration.expectsProxyHeader)
    #expect(some.configuration.trustedProxies.map(\.description) == ["10.0.0.0/8", "fd00::1", "192.0.2.0/24"])
    let setting = try #require(Setting.all.first { $0.name == "trusted-proxies" })
    #expect(setting.value(in: some.configuration) == "10.0.0.0/8,fd00::1,192.0.2.0/24")
    for bad in ["localhost", "10.0.0.1/8", "0.0.0.0/0", "10.0.0.0/8;fd00::1", "10.0.0.0/8,x"] {
      #expect(read(["--trusted-proxies", bad]).problems.count == 1, "\(bad)")
    }
    #expect(read(["--proxy-protocol", "on"]).problems.first?.hasPrefix("proxy-protocol: ") == true)
    #expect(read(["--proxy-protocol", "maybe"]).problems.count == 1)
  }

  @Test func `default rooms`() {
    #expect(read().configuration.defaultRooms == RoomGrants())
    let some = read(["--default-join", "pub*, lobby", "--default-send="]).configuration.defaultRooms
    #expect(some == RoomGrants(join: ["pub*", "lobby"], send: []))
    #expect(read(["--default-join=*"]).configuration.defaultRooms.join == nil)
    #expect(read(["--default-join=*,a"]).configuration.defaultRooms.join == ["*", "a"])
    for bad in [
      "a b", "a,b/c", String(repeating: "a", count: 129), Array(repeating: "a", count: 101).joined(separator: ","),
    ] {
      #expect(read(["--default-send=\(bad)"]).problems.count == 1)
    }
  }

  @Test func `origins`() {
    #expect(read(["--origins", "*"]).configuration.origins == .any)
    #expect(read(["--origins="]).configuration.origins == .sameOrigin)
    let two = read(["--origins", "https://a.example, http://localhost:3000"])
    #expect(two.configuration.origins == .listed(["https://a.example", "http://localhost:3000"]))
    #expect(two.problems == [])
    for bad in [
      "https://a:443", "http://a:80", "a.example", "https://", "https://a/path", "https://A.example", "*,https://a",
      "null", "https://u@a",
    ] {
      #expect(read(["--origins", bad]).problems.count == 1, "\(bad)")
    }
  }

  @Test func `the help names every setting`() {
    let help = ConfigurationText.help()
    for setting in Setting.all { #expect(help.contains("--\(setting.name) ")) }
    #expect(help.split(separator: "\n").allSatisfy { $0.count <= 140 })
  }
}
