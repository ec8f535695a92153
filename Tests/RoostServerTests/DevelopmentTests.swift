import RoostServer
import RoostTesting
import Testing
import Tokens

/// Tokens for everybody, where nobody but this machine asks.
@Suite("Development", .timeLimit(.minutes(20)))
struct DevelopmentTests {
  private func ask(_ target: String, _ port: UInt16, host: String = "localhost:8080") throws -> TestClient.Answer {
    var client = try TestClient(port: port)
    try client.send("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    return try #require(try client.answer())
  }

  private func token(in answer: TestClient.Answer) throws -> String {
    String(try #require(answer.body.wholeMatch(of: /\{"token":"([A-Za-z0-9._-]+)"\}/)?.1))
  }

  @Test func `a node gives none unless told to`() async throws {
    try await withNode { node in
      let told = try ask("/development", node.port)
      #expect(told.body == #"{"development":false}"#)
      let refused = try ask("/development/token?name=ann", node.port)
      #expect(refused.status == 404)
    }
  }

  @Test func `what it gives opens what it should`() async throws {
    try await withNode(configured { $0.isDevelopment = true }) { node in
      #expect(try ask("/development", node.port).body == #"{"development":true}"#)
      let answer = try ask("/development/token?name=J%C3%B6rg+%22x%22", node.port)
      #expect(answer.header("cache-control") == "no-store" && answer.header("access-control-allow-origin") == nil)
      let plain = try token(in: answer)
      var person = try TestClient(port: node.port)
      try person.upgrade("/ws?token=\(plain)")
      try person.sendFrame(#"{"type":"join_room","payload":{"room_id":"a"}}"#)
      let info = try #require(try person.skip { $0.text.contains("room_info") })
      #expect(info.text.contains(#"{"id":"Jörg \"x\"","name":"Jörg \"x\""}"#))
      let admin = try token(in: ask("/development/token?name=ann&role=admin", node.port))
      for (token, status) in [(plain, 403), (admin, 200)] {
        var backend = try TestClient(port: node.port)
        try backend.call("/api/nodes", authorization: "Bearer " + token, method: "GET")
        #expect(try backend.answer()?.status == status)
      }
    }
  }

  @Test(arguments: [
    ("/development/token", "localhost", 400), ("/development/token?name=", "localhost", 400),
    ("/development/token?name=a&name=b", "localhost", 400), ("/development/token?name=%FF", "localhost", 400),
    ("/development/token?name=%00", "localhost", 400), ("/development/token?name=a&role=king", "localhost", 400),
    ("/development/token?name=\(String(repeating: "n", count: 65))", "localhost", 400),
    ("/development/token?name=a", "127.0.0.1", 200), ("/development/token?name=a", "[::1]:8080", 200),
    ("/development/token?name=a", "chat.example", 403), ("/development/token?name=a", "localhost.example", 403),
    ("/development/token?name=a", "127.0.0.1.example:80", 403),
  ])
  func `it is particular about names and about who it is called`(target: String, host: String, status: Int) async throws
  {
    try await withNode(configured { $0.isDevelopment = true }) { node in
      let answer = try ask(target, node.port, host: host)
      #expect(answer.status == status)
    }
  }

  @Test func `only a node that this machine alone reaches may`() {
    func problems(_ change: (inout ServerConfiguration) -> Void) -> [String] {
      configured {
        $0.isDevelopment = true
        change(&$0)
      }.problems.filter { $0.hasPrefix("development:") }
    }
    #expect(problems { _ in }.isEmpty)
    #expect(problems { $0.host = "::1" }.isEmpty)
    #expect(problems { $0.host = "0.0.0.0" }.count == 1)
    #expect(problems { ($0.adminPort, $0.adminHost) = (0, "192.0.2.1") }.count == 1)
    #expect(problems { $0.secret = [] }.count == 1)
    #expect(configured { $0.isDevelopment = true }.warnings.contains { $0.hasPrefix("development:") })
  }
}
