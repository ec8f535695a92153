import HTTPCore
import RoostServer
import RoostTesting
import Testing

/// Who a client is, behind balancers and without: 127.0.0.9 is a trusted proxy here, all others are clients.
@Suite("Proxies", .timeLimit(.minutes(20)))
struct ProxyTests {
  static let proxy: UInt8 = 9

  static func behindProxy(
    speaksFirst: Bool = false, _ change: (inout ServerConfiguration) -> Void = { _ in }
  ) -> ServerConfiguration {
    configured {
      $0.trustedProxies = ["127.0.0.9", "10.0.0.0/8"].compactMap { NetworkRange($0) }
      $0.expectsProxyHeader = speaksFirst
      $0.limits.connectionsPerAddress = 1
      change(&$0)
    }
  }

  static func request(_ forwarded: String? = nil) throws -> String {
    TestClient.upgradeRequest("/ws?token=\(try token("u"))", forwarded.map { "X-Forwarded-For: \($0)\r\n" } ?? "")
  }

  /// A handshake, and its status.
  static func handshake(
    _ node: Node, from source: UInt8 = proxy, first: [UInt8] = [], forwarded: String? = nil
  ) throws -> Visit {
    try Visit(node, from: source, first + Array(request(forwarded).utf8))
  }

  // MARK: X-Forwarded-For

  @Test func `each client of a proxy has limits of his own, the proxy has none`() async throws {
    try await withNode(Self.behindProxy()) { node in
      let first = try Self.handshake(node, forwarded: "192.0.2.1")
      let second = try Self.handshake(node, forwarded: "192.0.2.2, 10.0.0.1")
      #expect(first.status == 101 && second.status == 101)
      #expect(try Self.handshake(node, forwarded: "192.0.2.1").status == 429)
      // What a client makes up stands before what the proxy saw.
      #expect(try Self.handshake(node, forwarded: "203.0.113.5, 192.0.2.1").status == 429)
      #expect(try Self.handshake(node, forwarded: "10.0.0.1, 192.0.2.1").status == 429)
      let third = try Self.handshake(node)
      let fourth = try Self.handshake(node)
      #expect(third.status == 101 && fourth.status == 101)
      for isOpen in [first.isOpen, second.isOpen, third.isOpen, fourth.isOpen] { #expect(isOpen) }
    }
  }

  @Test func `one household of IPv6 is one client`() async throws {
    try await withNode(Self.behindProxy()) { node in
      let first = try Self.handshake(node, forwarded: "2001:db8:1:2::1")
      #expect(first.status == 101)
      #expect(try Self.handshake(node, forwarded: "2001:db8:1:2:ffff::9").status == 429)
      let second = try Self.handshake(node, forwarded: "2001:db8:1:3::1")
      #expect(second.status == 101)
      for isOpen in [first.isOpen, second.isOpen] { #expect(isOpen) }
    }
  }

  @Test func `who is no proxy is not believed`() async throws {
    try await withNode(Self.behindProxy()) { node in
      let first = try Self.handshake(node, from: 2, forwarded: "192.0.2.1")
      #expect(first.status == 101)
      #expect(try Self.handshake(node, from: 2, forwarded: "192.0.2.2").status == 429)
      #expect(first.isOpen)
    }
  }

  @Test func `a client's place is free again when his connection ends`() async throws {
    try await withNode(Self.behindProxy()) { node in
      for _ in 0..<3 {
        var place: HeldClient?
        try eventually("the place is free") {
          let next = HeldClient(try TestClient(port: node.port, source: Self.proxy))
          try next.client.send(Self.request("192.0.2.1"))
          let isIn = try next.client.answer()?.status == 101
          if isIn { place = next }
          return isIn
        }
        let held = try #require(place)
        try held.client.send(TestClient.frame([0x03, 0xE8], opcode: 8))
        #expect(try held.client.frame()?.closeCode == 1000)
        #expect(try held.client.isAtEnd())
      }
    }
  }

  @Test func `pages on a proxy's connection are counted for whom they are`() async throws {
    try await withNode(Self.behindProxy { $0.limits.connectsPerAddressPerSecond = 1 }) { node in
      var proxy = try TestClient(port: node.port, source: Self.proxy)
      func status(_ client: String, _ path: String = "/ws/stats") throws -> Int? {
        try proxy.send("GET \(path) HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \(client)\r\n\r\n")
        return try proxy.answer()?.status
      }
      for client in ["192.0.2.1", "192.0.2.2"] {
        for _ in 0..<4 { #expect(try status(client) == 200) }
      }
      for _ in 0..<9 { #expect(try status("10.0.0.3", "/healthz") == 200) }
      // Idle between requests the connection is nobody's.
      let client = try Self.handshake(node, forwarded: "192.0.2.3")
      #expect(client.status == 101 && client.isOpen)
      var last: Int?
      try eventually("a refusal") {
        last = try status("192.0.2.1")
        return last != 200
      }
      #expect(last == 429)
      #expect(try proxy.isAtEnd())
    }
  }

  // MARK: PROXY protocol

  static let v1 = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"
  static let v2: [UInt8] =
    [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0, 17]
    + [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x34, 0, 80] + [0x04, 0, 2, 1, 1]
  static let local: [UInt8] = Array(v2.prefix(12)) + [0x20, 0, 0, 0]

  @Test(arguments: [Array(v1.utf8), v2])
  func `a proxy says first who its client is`(header: [UInt8]) async throws {
    try await withNode(Self.behindProxy(speaksFirst: true)) { node in
      let first = try Self.handshake(node, first: header)
      #expect(first.status == 101)
      #expect(try Self.handshake(node, first: header).status == 429)
      // What a client of such a proxy writes into his request is his own invention.
      #expect(try Self.handshake(node, first: header, forwarded: "203.0.113.9").status == 429)
      let own = try Self.handshake(node, first: Self.local)
      let again = try Self.handshake(node, first: Self.local)
      #expect(own.status == 101 && again.status == 101)
      for isOpen in [first.isOpen, own.isOpen, again.isOpen] { #expect(isOpen) }
    }
  }

  @Test func `a proxy behind the proxy names its clients in the request`() async throws {
    try await withNode(Self.behindProxy(speaksFirst: true)) { node in
      let header = Array("PROXY TCP4 10.0.0.7 192.0.2.2 1 2\r\n".utf8)
      let first = try Self.handshake(node, first: header, forwarded: "203.0.113.9")
      #expect(first.status == 101)
      #expect(try Self.handshake(node, first: header, forwarded: "203.0.113.9").status == 429)
      #expect(first.isOpen)
    }
  }

  @Test(arguments: [Array(v1.utf8), v2])
  func `the header may come byte by byte, and nothing behind it is lost`(header: [UInt8]) async throws {
    try await withNode(Self.behindProxy(speaksFirst: true)) { node in
      var client = try TestClient(port: node.port, source: Self.proxy)
      for byte in header { try client.send([byte]) }
      try client.send(Self.request())
      #expect(try client.answer()?.status == 101)
      try client.sendFrame(#"{"type":"ping","id":"7"}"#)
      #expect(try client.text().contains(#""id":"7""#))
    }
  }

  @Test(arguments: [
    "", "PROXY NONSENSE\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", "\r\n\r\n\0\r\nQUIT\n\u{31}\u{11}\0\0",
  ])
  func `a proxy without a good header is not served`(header: String) async throws {
    try await withNode(Self.behindProxy(speaksFirst: true)) { node in
      var client = try TestClient(port: node.port, source: Self.proxy)
      try client.send(header + (try Self.request()))
      #expect(try client.isAtEnd())
    }
  }

  @Test func `a header that does not come in time ends the connection`() async throws {
    let configuration = Self.behindProxy(speaksFirst: true) { $0.times.handshake = 1 }
    try await withNode(configuration) { node in
      var client = try TestClient(port: node.port, source: Self.proxy)
      try client.send(Array(Self.v2.dropLast()))
      #expect(try client.answer()?.status == 408)
      #expect(try client.isAtEnd())
    }
  }

  @Test(arguments: [Array(v1.utf8), v2])
  func `who is no proxy needs no header, and gets nothing for one`(header: [UInt8]) async throws {
    try await withNode(Self.behindProxy(speaksFirst: true)) { node in
      #expect(try Self.handshake(node, from: 2, first: header).status == 400)
      let client = try Self.handshake(node, from: 3)
      #expect(client.status == 101 && client.isOpen)
    }
  }

  @Test func `without the setting a proxy's header is no request either`() async throws {
    try await withNode(Self.behindProxy()) { node in
      let visit = try Self.handshake(node, first: Array(Self.v1.utf8))
      #expect(visit.status == 400)
    }
  }
}
