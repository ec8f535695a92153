import HTTPCore
import RoostServer
import RoostTesting
import Testing
import Transport

/// TLS that ends at the node, behind a balancer that says first who its client is: a real handshake by OpenSSL behind
/// a PROXY header.
@Suite("Proxies and TLS", .timeLimit(.minutes(20)))
struct ProxyTLSTests {
  private let identity: TLSIdentity
  private let client: TLSClient
  /// Keeps the files.
  private let certificates: TestCertificates

  init() throws {
    certificates = try TestCertificates()
    identity = try certificates.make("node")
    client = try TLSClient(.file(certificates.authority))
  }

  private func secured(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> ServerConfiguration {
    ProxyTests.behindProxy(speaksFirst: true) {
      $0.tls.certificateFile = identity.certificateFile
      $0.tls.keyFile = identity.keyFile
      change(&$0)
    }
  }

  private func connect(_ node: Node, from source: UInt8 = ProxyTests.proxy, _ first: [[UInt8]]) throws -> TestClient {
    try TestClient(port: node.port, source: source, tls: client, first: first)
  }

  static let v1 = Array(ProxyTests.v1.utf8)

  /// One client at a time may have a connection: who gets through twice was not taken for one.
  @Test(arguments: [
    [v1], [ProxyTests.v2], [v1, []], [ProxyTests.v2, []], v1.map { [$0] }, ProxyTests.v2.map { [$0] } + [[]],
  ])
  func `a header in any pieces is the client's name, and TLS begins behind it`(first: [[UInt8]]) async throws {
    try await withNode(secured()) { node in
      var anna = try connect(node, first)
      try anna.upgrade("/ws?token=\(token("anna"))")
      try anna.join("lobby")
      // The same client again is told so four times, and then dropped before his handshake. One more time is free every
      // ten seconds, which a slow machine may use up.
      var refused = 0
      try eventually("he is dropped") {
        refused += 1
        let again: HeldClient
        do { again = HeldClient(try connect(node, first)) } catch is TestClient.Failure { return true }
        try again.client.send(TestClient.upgradeRequest("/ws?token=\(token("anna"))"))
        #expect(try again.client.answer()?.status == 429)
        return false
      }
      #expect(refused > 4)
      var ben = try connect(node, [Array("PROXY TCP4 192.0.2.7 192.0.2.2 1 2\r\n".utf8)])
      // What he writes into his request is his own invention.
      try ben.upgrade("/ws?token=\(token("ben"))", "X-Forwarded-For: 192.0.2.1\r\n")
      try ben.join("lobby")
      try ben.say("hello", in: "lobby", id: "1")
      #expect(try anna.talk().contains("hello"))
      var own = try connect(node, [ProxyTests.local])
      let page = try #require(try own.page("/metrics")).body
      #expect(page.contains("roost_handshakes_refused_total{reason=\"address_limit\"} \(refused)\n"))
    }
  }

  @Test func `who begins with TLS where a header is due is dropped`() async throws {
    try await withNode(secured()) { node in
      #expect(throws: TestClient.Failure.self) { _ = try connect(node, []).isOpen }
      #expect(throws: TestClient.Failure.self) {
        _ = try connect(node, [Array("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n".utf8)]).isOpen
      }
      var own = try connect(node, [ProxyTests.local])
      let page = try #require(try own.page("/metrics")).body
      #expect(page.contains(#"roost_handshakes_refused_total{reason="proxy_header"} 2"#))
    }
  }

  @Test func `a header alone is given up in time`() async throws {
    try await withNode(secured { $0.times.handshake = 1 }) { node in
      var half = try TestClient(port: node.port, source: ProxyTests.proxy)
      try half.send(Self.v1)
      #expect(try half.rest().isEmpty)
      var none = try TestClient(port: node.port, source: ProxyTests.proxy)
      #expect(try none.rest().isEmpty)
      try eventually("it is empty") { node.connectionCount == 0 }
    }
  }

  @Test func `from others a header is no TLS, and none is needed`() async throws {
    try await withNode(secured()) { node in
      for header in [Self.v1, ProxyTests.v2, ProxyTests.local] {
        #expect(throws: TestClient.Failure.self) { _ = try connect(node, from: 2, [header]).isOpen }
      }
      var anna = try connect(node, from: 3, [])
      try anna.upgrade("/ws?token=\(token("anna"))")
    }
  }
}
