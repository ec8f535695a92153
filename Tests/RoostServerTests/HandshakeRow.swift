import RoostServer
import RoostTesting
import Testing

/// One row of a table of handshakes: what is changed of a good request, and what that gets.
struct HandshakeRow: Sendable, CustomTestStringConvertible {
  typealias Change = @Sendable (String) throws -> String

  var name: String
  var status: Int
  var headers: [(name: String, value: String)]
  /// The error's words; nil for answers that are no refusal.
  var error: String?
  var change: Change
  var testDescription: String { name }

  init(_ name: String, _ status: Int, headers: [(String, String)] = [], _ change: @escaping Change) {
    self.init(name, status, nil, headers: headers, change)
  }

  init(
    _ name: String, _ status: Int, _ error: String?, headers: [(String, String)] = [], _ change: @escaping Change
  ) {
    (self.name, self.status, self.error, self.change) = (name, status, error, change)
    self.headers = headers.map { ($0.0, $0.1) }
  }

  /// A good request with a good token, sent over a raw socket.
  static func good() throws -> String { TestClient.upgradeRequest("/ws?token=\(try token("u"))") }

  /// Sends the row's request and compares everything it says.
  func check(_ node: Node) throws {
    var client = try TestClient(port: node.port)
    try client.send(change(Self.good()))
    let answer = try #require(try client.answer())
    #expect(answer.status == status)
    for header in headers { #expect(answer.header(header.name) == header.value) }
    guard status != 101 else { return #expect(answer.body.isEmpty) }
    if let error { #expect(answer.body == #"{"error":"\#(error)"}"#) }
    #expect(answer.header("content-type") == "application/json")
    #expect(answer.header("referrer-policy") == "no-referrer")
    #expect(answer.header("cache-control") == "no-store")
    #expect(answer.header("x-content-type-options") == "nosniff")
    #expect(["close", "upgrade, close"].contains(answer.header("connection")))
    let isAtEnd = try client.isAtEnd()
    #expect(isAtEnd, "the connection stays open")
  }

  // MARK: Changes

  static func without(_ line: String) -> Change {
    { request in
      let lines = request.split(separator: "\r\n", omittingEmptySubsequences: false)
      return lines.filter { !$0.hasPrefix(line) }.joined(separator: "\r\n")
    }
  }

  static func replacing(_ old: String, _ new: String) -> Change {
    { request in
      var lines = request.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
      for index in lines.indices where lines[index].hasPrefix(old) { lines[index] = new }
      return lines.joined(separator: "\r\n")
    }
  }

  static func adding(_ line: String) -> Change { { $0.dropLast(1) + line + "\r\n\r\n" } }

  /// The same with another first line.
  static func asking(_ line: String) -> Change { replacing("GET", line) }

  /// Without a token in the query.
  static func tokenless(_ change: @escaping Change = { $0 }) -> Change {
    { try change(asking("GET /ws HTTP/1.1")($0)) }
  }
}
