import RoostServer
import RoostTesting
import Testing

/// Cheap questions come first, so that no flood buys a signature check: each handshake here is wrong in several ways,
/// is told the cheapest, and no token is looked at for it.
@Suite("Order of checks", .timeLimit(.minutes(20)))
struct HandshakeOrderTests {
  typealias Row = HandshakeRow

  /// A request that is wrong from the given check on, and good before. The worst comes last.
  enum Check: Int, CaseIterable { case user, token, origin, version, method, room, address, syntax }

  private static let statuses: [Check: Int] = [
    .user: 429, .token: 401, .origin: 403, .version: 426, .method: 405, .room: 503, .address: 429, .syntax: 400,
  ]

  /// A handshake that fails at `check` and at all that come after it.
  private static func request(failingFrom check: Check) throws -> String {
    var request = try Row.good()
    func fails(at other: Check) -> Bool { other.rawValue <= check.rawValue }
    if fails(at: .token) { request = try Row.asking("GET /ws?token=a.b.c HTTP/1.1")(request) }
    if fails(at: .origin) { request = try Row.adding("Origin: http://evil.example")(request) }
    if fails(at: .version) { request = try Row.replacing("Sec-WebSocket-V", "Sec-WebSocket-Version: 8")(request) }
    if fails(at: .method) { request = "POST" + request.dropFirst(3) }
    if fails(at: .syntax) { request = try Row.adding("Host: two")(request) }
    return request
  }

  private static func tokenChecks(_ node: Node) throws -> Int {
    var client = try TestClient(port: node.port, source: 200)
    let page = try #require(try client.page("/metrics")).body
    let line = page.split(separator: "\n").first { $0.hasPrefix("roost_token_checks_total ") }
    return try #require(line?.split(separator: " ").last.flatMap { Int($0) })
  }

  @Test(arguments: Check.allCases)
  func `the cheapest of many mistakes is told`(check: Check) async throws {
    let configuration = configured {
      $0.limits.connectionsPerUser = 1
      if check.rawValue >= Check.room.rawValue { $0.limits.connections = 1 }
      if check.rawValue >= Check.address.rawValue { $0.limits.connectionsPerAddress = 1 }
    }
    try await withNode(configuration) { node in
      let first = try Visit(node, Array(Row.good().utf8))
      #expect(first.status == 101)
      let before = try Self.tokenChecks(node)
      for _ in 0..<5 {
        let visit = try Visit(node, Array(Self.request(failingFrom: check).utf8))
        #expect(visit.status == Self.statuses[check])
      }
      let looked = try Self.tokenChecks(node) - before
      #expect(looked == (check.rawValue <= Check.token.rawValue ? 5 : 0))
      #expect(first.isOpen)
    }
  }
}
