import Foundation
import HTTPCore
import RoostTesting
import Testing

@testable import RoostServer

/// The description, the routes and the documents say the same.
@Suite("API: description", .timeLimit(.minutes(20)))
struct OpenAPITests {
  /// After a change of the table: `ROOST_WRITE_OPENAPI=1 swift test --filter OpenAPITests`.
  @Test func `the node tells what the file holds`() async throws {
    try Documents.rewrite("openapi.json", as: OpenAPI.text, when: "ROOST_WRITE_OPENAPI")
    try await withNode { node in
      var client = try TestClient(port: node.port)
      try client.send("GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try client.answer()?.body == Documents.text("openapi.json"))
    }
  }

  @Test func `it names every call with every status`() throws {
    let json = try JSONSerialization.jsonObject(with: Data(OpenAPI.text.utf8)) as? [String: Any]
    let paths = try #require(json?["paths"] as? [String: [String: [String: Any]]])
    var described = 0
    for operation in APIOperation.all {
      let method = operation.method == .get ? "get" : "post"
      let call = try #require(paths[operation.path]?[method], "\(operation.path)")
      let responses = try #require(call["responses"] as? [String: Any])
      #expect(Set(responses.keys) == Set(operation.statuses.map { "\($0.rawValue)" }))
      described += 1
    }
    #expect(paths.values.reduce(0) { $0 + $1.count } == described)
    #expect(described == APIOperation.Kind.allCases.count)
    #expect(Set(APIOperation.all.map(\.kind)).count == described)
    let schemas = try #require((json?["components"] as? [String: Any])?["schemas"] as? [String: Any])
    for match in OpenAPI.text.matches(of: /#\/components\/schemas\/(\w+)/) {
      #expect(schemas[String(match.1)] != nil, "\(match.1)")
    }
  }

  /// What is wrong with a request before anybody looks for its route.
  @Test func `whatever a request cannot be read for is among the statuses`() {
    for operation in APIOperation.all where operation.body.schema != nil {
      for error in RequestError.allCases { #expect(operation.statuses.contains(Status(error)), "\(error)") }
    }
  }

  @Test func `the document has every call and every status`() throws {
    let document = try Documents.text("API.md")
    for operation in APIOperation.all {
      let name = operation.method == .get ? "GET" : "POST"
      #expect(document.contains("`\(name) \(operation.path)"), "\(operation.path)")
      for parameter in operation.parameters { #expect(document.contains(parameter.name)) }
      for status in operation.statuses where status != .ok { #expect(document.contains("\(status.rawValue)")) }
    }
  }
}
