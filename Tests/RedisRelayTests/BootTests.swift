import RoostTesting
import Testing

@testable import RedisRelay

/// The script that says which generation it is.
struct BootTests {
  /// A boot as a node with that random part would make it; returns the generation it is told.
  private func boot(
    _ server: RedisServer, node: String, lineage: Character = "a", random: Character, replacing: String = ""
  ) throws -> String {
    let settings = Script.Settings(
      prefix: "ws:", historyMessages: 1, historySeconds: 1, leaseMilliseconds: 1, heartbeatMilliseconds: 1)
    func digits(_ count: Int, _ digit: Character) -> String { String(repeating: digit, count: count) }
    let answer = try server.ask(
      "EVAL", Script.boot.source(settings), "0", node, digits(24, lineage), digits(12, random), digits(32, random),
      replacing)
    return String(try #require(answer.split(separator: "\n").first))
  }

  /// Every node that saw the server change its role asks; only the first one finds what it distrusts.
  @Test func `A generation that many distrust is replaced once`() throws {
    let server = try RedisServer()
    let first = try boot(server, node: "n1", random: "1")
    #expect(try boot(server, node: "n2", random: "2") == first, "the same run of the same server")
    let second = try boot(server, node: "n1", random: "3", replacing: first)
    #expect(second != first)
    #expect(try boot(server, node: "n2", random: "4", replacing: first) == second)
    #expect(try boot(server, node: "n2", random: "5") == second)
    #expect(try boot(server, node: "n1", lineage: "b", random: "6") != second, "another server")
  }

  @Test func `Sessions of one node only rise`() throws {
    let server = try RedisServer()
    _ = try boot(server, node: "n1", random: "1")
    let early = try #require(Int(try server.ask("GET", "ws:s:n1").filter(\.isNumber)))
    try server.ask("SET", "ws:s:n1", "\(early + 1_000_000_000)")  // the clock was set back since
    _ = try boot(server, node: "n1", random: "2")
    let late = try #require(Int(try server.ask("GET", "ws:s:n1").filter(\.isNumber)))
    #expect(late == early + 1_000_000_001)
  }
}
