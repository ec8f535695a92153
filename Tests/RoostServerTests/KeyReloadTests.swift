import RoostServer
import RoostTesting
import Synchronization
import Telemetry
import Testing
import Tokens

/// Keys that are exchanged while a node runs, by reading its settings' files once more.
@Suite("Reloading keys", .timeLimit(.minutes(20)))
struct KeyReloadTests {
  struct NoFile: Error {}

  static let (first, second) = (
    Array(repeating: UInt8(ascii: "a"), count: 32), Array(repeating: UInt8(ascii: "b"), count: 40)
  )
  static let pair = TestKey(.ed25519)
  static let (oldKey, newKey) = (String(repeating: "o", count: 32), String(repeating: "n", count: 32))

  /// What the files of a node hold, and what it logs.
  private final class Place: Sendable {
    let files = Mutex<[String: [UInt8]]>([:])
    let lines = LogLines()

    subscript(path: String) -> [UInt8]? {
      get { files.withLock { $0[path] } }
      set { files.withLock { $0[path] = newValue } }
    }

    func read(_ more: [String] = []) -> ConfigurationReader {
      let arguments = ["--secret-file", "/secret", "--api-key-file", "/api", "--jwks-file", "/set"] + more
      return ConfigurationReader(arguments: arguments, environment: [:], base: configured { $0.secret = [] }) { path in
        guard let content = self[path] else { throw NoFile() }
        return content
      }
    }
  }

  private func withNode(_ place: Place, _ more: [String] = [], _ body: (Node) throws -> Void) async throws {
    place["/secret"] = Self.first
    place["/api"] = Array(Self.oldKey.utf8)
    place["/set"] = Array(TestKey.set([Self.pair.jwk(id: "old")]).utf8)
    let reader = place.read(more)
    #expect(reader.problems == [])
    let log = Log(level: .info, sink: { place.lines.add($0) })
    try await RoostServerTests.withNode(reader.configuration, log: log, body)
  }

  private func token(_ key: SigningKey, kid: String? = nil) throws -> String {
    try TokenMinter(key: key, keyID: kid).mint(Claims(userID: "ann", expiresAt: 4_102_444_800))
  }

  private func secret(_ bytes: [UInt8]) throws -> String { try token(SigningKey(secret: bytes)) }

  private func inSet(_ id: String) throws -> String { try token(SigningKey(pem: Self.pair.privatePEM), kid: id) }

  /// What a call with the key is answered.
  private func call(_ node: Node, _ key: String) throws -> Int? {
    var client = try TestClient(port: node.port)
    try client.call(APITests.revoke, APITests.good, authorization: "Bearer \(key)")
    return try client.answer()?.status
  }

  @Test func `what is new holds at once, what is gone opens nothing more`() async throws {
    let place = Place()
    try await withNode(place) { node throws in
      var there = try TestClient(port: node.port)
      try there.upgrade("/ws?token=\(secret(Self.first))")
      for token in [try secret(Self.first), try inSet("old")] { #expect(try KeySetTests.status(node, token) == 101) }
      for token in [try secret(Self.second), try inSet("new")] { #expect(try KeySetTests.status(node, token) == 401) }
      #expect(try call(node, Self.oldKey) == 200 && call(node, Self.newKey) == 401)

      place["/secret"] = Self.second
      place["/api"] = Array(Self.newKey.utf8)
      place["/set"] = Array(TestKey.set([Self.pair.jwk(id: "new")]).utf8)
      node.reloadKeys(place.read())
      for token in [try secret(Self.first), try inSet("old")] { #expect(try KeySetTests.status(node, token) == 401) }
      for token in [try secret(Self.second), try inSet("new")] { #expect(try KeySetTests.status(node, token) == 101) }
      #expect(try call(node, Self.oldKey) == 401 && call(node, Self.newKey) == 200)
      try there.sendFrame(#"{"type":"ping"}"#)
      #expect(try there.talk().contains("pong"), "who is there stays")
    }
    #expect(place.lines.text.contains("keys reloaded"))
  }

  @Test(
    arguments: [
      ("/secret", "short"), ("/secret", ""), ("/api", "short"), ("/api", ""), ("/set", "{}"), ("/set", #"{"keys":[]}"#),
      ("/set", nil), ("/secret", nil),
    ] as [(String, String?)])
  func `of files that are no good nothing is taken, and the log says why`(path: String, content: String?) async throws {
    let place = Place()
    try await withNode(place) { node throws in
      place["/secret"] = Self.second
      place["/api"] = Array(Self.newKey.utf8)
      place[path] = content.map { Array($0.utf8) }
      node.reloadKeys(place.read())
      #expect(try KeySetTests.status(node, secret(Self.first)) == 101)
      #expect(try KeySetTests.status(node, secret(Self.second)) == 401)
      #expect(try call(node, Self.oldKey) == 200 && call(node, Self.newKey) == 401)
    }
    #expect(place.lines.text.contains("those before stay") && !place.lines.text.contains("keys reloaded"))
  }

  @Test func `a set that was fetched stays`() async throws {
    let (place, server) = (Place(), try KeyServer(KeySetTests.oldSet))
    defer { server.stop() }
    place[server.caFile] = Array("there".utf8)  // which libcurl reads by itself
    let more = ["--jwks-url", server.url(), "--jwks-ca-file", server.caFile]
    try await withNode(place, more) { node throws in
      // The file has a key of that name too, so nobody would wait for the other.
      try eventually("the set is there") { place.lines.text.contains("key set fetched") }
      #expect(try KeySetTests.status(node, KeySetTests.token()) == 101)
      place["/secret"] = Self.second
      node.reloadKeys(place.read(more))
      #expect(try KeySetTests.status(node, KeySetTests.token()) == 101)
      #expect(try KeySetTests.status(node, secret(Self.second)) == 101)
      #expect(try KeySetTests.goodFetches(node) == 1)
    }
  }
}
