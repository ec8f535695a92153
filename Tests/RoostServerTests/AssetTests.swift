import Foundation
import RoostTesting
import Testing

@testable import RoostServer

/// The files that browsers get.
@Suite("Assets", .timeLimit(.minutes(20)))
struct AssetTests {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let sources = [
    "/": "pages/chat/index.html", "/dashboard": "pages/dashboard/index.html", "/client.js": "clients/js/roost.js",
  ]

  /// What the repository has for a path.
  private static func source(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: sources[path] ?? String(path.dropFirst())), encoding: .utf8)
  }

  private func ask(
    _ path: String, _ client: inout TestClient, method: String = "GET", lines: String = ""
  ) throws -> TestClient.Answer {
    try client.send("\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(lines)\r\n")
    return try #require(try client.answer(toHead: method == "HEAD" || !lines.isEmpty))
  }

  private static let types = ["js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"]

  @Test func `each is what the repository has, of its type, and kept under a tag`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      for path in Asset.all.map(\.path) {
        let page = try ask(path, &client)
        #expect(try page.status == 200 && page.body == Self.source(path), "\(path)")
        let type = Self.types[path.split(separator: ".").last.map(String.init) ?? ""] ?? "text/html"
        #expect(page.header("content-type")?.hasPrefix(type) == true, "\(path)")
        #expect(page.header("cache-control") == "no-cache" && page.header("x-content-type-options") == "nosniff")
        let tag = try #require(page.header("etag"))
        let head = try ask(path, &client, method: "HEAD")
        #expect(head.status == 200 && head.header("etag") == tag)
        #expect(head.header("content-length") == "\(page.body.utf8.count)")
        for known in [tag, "W/\(tag)", "*", "\"other\", \(tag)"] {
          let same = try ask(path, &client, lines: "If-None-Match: \(known)\r\n")
          #expect(same.status == 304 && same.header("etag") == tag && same.header("content-length") == nil, "\(known)")
        }
      }
      try client.send("GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"other\"\r\n\r\n")
      #expect(try client.answer()?.status == 200)
      try client.send("POST / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try client.answer()?.header("allow") == "GET, HEAD")
    }
  }

  @Test func `every file of the pages is served`() throws {
    let folder = Self.root.appending(path: "pages")
    let files = try #require(FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String])
    let served = Set(Asset.all.map(\.path)).union(Self.sources.values.map { "/" + $0 })
    for file in files where file.contains(".") {
      #expect(served.contains("/pages/" + file), "Sources/CPages/pages.c does not have \(file)")
    }
    #expect(files.count > 10)
  }

  @Test(arguments: ["/", "/dashboard"])
  func `a page runs nothing but files of its own, and stands in nobody's frame`(path: String) async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      let page = try ask(path, &client)
      let policy = try #require(page.header("content-security-policy"))
      for rule in [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'",
        "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'",
      ] { #expect(policy.contains(rule)) }
      #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("http"))
      #expect(page.header("access-control-allow-origin") == nil)
      // What such a policy would stop is not there either.
      #expect(!page.body.contains(/<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|https?:|"\/\//))
    }
  }

  @Test func `the dashboard is where administration is`() async throws {
    try await withNode(configured { $0.adminPort = 0 }) { node in
      let adminPort = try #require(node.adminPort)
      for (path, main, admin) in [
        ("/", 200, 404), ("/client.js", 200, 404), ("/pages/chat/app.js", 200, 404), ("/pages/base.css", 200, 200),
        ("/dashboard", 404, 200), ("/pages/dashboard/app.js", 404, 200), ("/ws/online?verbose", 200, 200),
        ("/development", 200, 200), ("/pages/other.js", 404, 404),
      ] {
        for (port, status) in [(node.port, main), (adminPort, admin)] {
          var client = try TestClient(port: port)
          #expect(try ask(path, &client).status == status, "\(path) on \(port == node.port ? "main" : "admin")")
        }
      }
    }
  }
}
