import Glibc
import RoostServer
import RoostTesting
import Testing
import Transport

/// The node's port with a certificate.
@Suite("TLS on the port", .timeLimit(.minutes(20)))
struct TLSTests {
  private let certificates: TestCertificates
  private let files: TLSIdentity
  private let client: TLSClient

  init() throws {
    certificates = try TestCertificates()
    files = try certificates.make("node")
    client = try TLSClient(.file(certificates.authority))
  }

  private func secured(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> ServerConfiguration {
    configured {
      $0.tls.certificateFile = files.certificateFile
      $0.tls.keyFile = files.keyFile
      change(&$0)
    }
  }

  private func chat(_ node: Node, _ user: String, room: String) throws -> TestClient {
    var client = try TestClient(port: node.port, tls: client)
    try client.upgrade("/ws?token=\(token(user))")
    try client.join(room)
    return client
  }

  @Test(arguments: [1, 3])
  func `a room talks through TLS`(shards: Int) async throws {
    try await withNode(secured { $0.shards = shards }) { node in
      var anna = try chat(node, "anna", room: "lobby")
      var bert = try chat(node, "bert", room: "lobby")
      for number in 0..<50 {
        try bert.say("hello \(number)", in: "lobby", id: "\(number)")
        #expect(try anna.talk().contains(#""hello \#(number)""#))
        #expect(try bert.talk().contains(#""ack""#))
      }
    }
  }

  @Test func `handshakes of all clients together have a rate, which is asked before anything is signed`() async throws {
    try await withNode(secured { $0.limits.connectsPerSecond = 2 }) { node in
      var prober = try TestClient(port: node.port, tls: client)
      var opened = 0
      // Who is one too many is not told: the connection is reset.
      #expect(throws: (any Error).self) {
        while opened < 1_000 {
          _ = try chat(node, "anna", room: "lobby")
          opened += 1
        }
      }
      #expect((1..<1_000).contains(opened))
      let page = try #require(try prober.page("/metrics")?.body)
      #expect(page.contains(#"roost_handshakes_refused_total{reason="node_rate"} 1\#n"#))
    }
  }

  @Test func `frames may come in any pieces, and leave in big ones`() async throws {
    try await withNode(secured()) { node in
      var random = SeededGenerator(seed: 7)
      var client = try TestClient(port: node.port, tls: client)
      try client.upgrade("/echo")
      let payload = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 3) }
      var frames = TestClient.frame(payload, opcode: 2)[...]
      while !frames.isEmpty {
        let piece = frames.prefix(Int.random(in: 1...90_000, using: &random))
        try client.send(Array(piece))
        frames = frames.dropFirst(piece.count)
      }
      #expect(try client.frame()?.payload == payload)
    }
  }

  @Test func `a big echo waits for its reader`() async throws {
    try await withNode(secured()) { node in
      var client = try TestClient(port: node.port, receiveBuffer: 4_096, tls: client)
      try client.upgrade("/echo")
      let payload = [UInt8](repeating: 0x41, count: 8 << 20)
      try client.send(TestClient.frame(payload, opcode: 2))
      #expect(try client.frame()?.payload.count == payload.count)
    }
  }

  @Test func `a client that ends its half still gets its echo, and an end by close_notify`() async throws {
    try await withNode(secured()) { node in
      var client = try TestClient(port: node.port, tls: client)
      try client.upgrade("/echo")
      try client.sendFrame("last words")
      client.shutdownSending()
      #expect(try client.text() == "last words")
      #expect(try client.isAtEnd())
    }
  }

  /// The queue is dropped in the middle of a record; what follows must fit to what has left.
  @Test func `who does not read is closed as too slow, in whole frames`() async throws {
    try await withNode(
      secured {
        $0.limits.queueMessages = 8
        $0.limits.messageBytes = 65_536
        $0.limits.bytesPerSecond = 0  // the talker's haste is not the matter here
      }
    ) { node in
      var slow = try TestClient(port: node.port, receiveBuffer: 4_096, tls: client)
      try slow.upgrade("/ws?token=\(token("slow"))")
      try slow.join("lobby")
      var talker = try chat(node, "talker", room: "lobby")
      let words = String(repeating: "x", count: 60_000)
      let message = TestClient.frame(Array(#"{"type":"send_message","room":"lobby","payload":"\#(words)"}"#.utf8))
      for _ in 0..<120 {
        try talker.send(message)
        #expect(try talker.talk().hasPrefix(#"{"type":"ack""#))
      }
      var last: TestClient.Frame?
      while let frame = try slow.frame() {
        #expect(frame.opcode == 8 || frame.text.hasPrefix("{") && frame.text.hasSuffix("}"))
        last = frame
        // The node waits as long for the answer as for a reader.
        if frame.opcode == 8 { break }
      }
      #expect(last?.closeCode == 4008)
    }
  }

  @Test func `who speaks plain HTTP is told so`() async throws {
    try await withNode(secured()) { node in
      var stranger = try TestClient(port: node.port)
      try stranger.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      let answer = try stranger.answer()
      #expect(answer?.status == 400 && answer?.body.contains("TLS") == true)
      #expect(try stranger.isAtEnd())
    }
  }

  @Test(arguments: [[], [22, 3, 1, 0, 45, 1, 0], [UInt8](repeating: 0xAA, count: 100)])
  func `who does not get through the handshake is dropped in time and in silence`(bytes: [UInt8]) async throws {
    try await withNode(secured { $0.times.handshake = 1 }) { node in
      var stranger = try TestClient(port: node.port)
      try stranger.send(bytes)
      let alert = try stranger.rest()
      #expect(alert.isEmpty || alert.first == 21, "an alert at most")
      // A second is little for a handshake of TLS and a request; who was too slow tries again, and is counted too.
      var page: TestClient.Answer?
      try eventually("a page in time") {
        do {
          var client = try TestClient(port: node.port, tls: client)
          page = try client.page("/metrics")
        } catch is TestClient.Failure { return false }
        return page?.status == 200
      }
      #expect(page?.body.contains(/roost_handshakes_refused_total{reason="tls"} [1-9]/) == true)
      try eventually("they are gone") { node.connectionCount == 0 }
    }
  }

  @Test func `an address over its limit is told so, and a flood of it buys no handshakes`() async throws {
    try await withNode(secured { $0.limits.connectionsPerAddress = 1 }) { node in
      let first = try TestClient(port: node.port, tls: client)
      for _ in 0..<4 {
        var told = try TestClient(port: node.port, tls: client)
        try told.send("GET /ws?token=\(token("anna")) HTTP/1.1\r\nHost: x\r\n\r\n")
        let answer = try told.answer()
        #expect(answer?.status == 429 && answer?.header("retry-after") != nil)
      }
      // One more is told every ten seconds, which a slow machine may use up.
      try eventually("one is dropped") {
        do { return try !TestClient(port: node.port, tls: client).isOpen } catch is TestClient.Failure { return true }
      }
      let isOpen = first.isOpen
      #expect(isOpen)
      try eventually("the others are gone") { node.connectionCount == 1 }
    }
  }

  @Test func `a reload serves the new certificate and keeps who is there`() async throws {
    let others = try TestCertificates()
    let stranger = try TLSClient(.file(others.authority))
    try await withNode(secured()) { node in
      var early = try TestClient(port: node.port, tls: client)
      try early.upgrade("/echo")
      #expect(throws: TestClient.Failure.self) { _ = try TestClient(port: node.port, tls: stranger).isOpen }
      try certificates.replace(files, by: try others.make("node"))
      node.reloadCertificate()
      #expect(try TestClient(port: node.port, tls: stranger).isOpen)
      #expect(throws: TestClient.Failure.self) { _ = try TestClient(port: node.port, tls: client).isOpen }
      // A certificate with a foreign key: all stays as it is.
      try certificates.replace(
        files, by: TLSIdentity(certificateFile: certificates.authority, keyFile: try others.make("more").keyFile))
      node.reloadCertificate()
      #expect(try TestClient(port: node.port, tls: stranger).isOpen)
      try early.sendFrame("still here")
      #expect(try early.text() == "still here")
    }
  }

  @Test func `openssl's own client agrees on TLS 1.3 or 1.2 and http, and on nothing else`() async throws {
    try await withNode(secured()) { node in
      let place = ["openssl", "s_client", "-connect", "127.0.0.1:\(node.port)", "-CAfile", certificates.authority]
      for (words, expected) in [
        (["-alpn", "h2,http/1.1"], ["TLSv1.3", "ALPN protocol: http/1.1", "Verification: OK"]),
        (["-tls1_2"], ["TLSv1.2", "No ALPN negotiated", "Verification: OK", "ECDHE-"]),
        (["-alpn", "h2"], ["no peer certificate available"]), (["-tls1_1"], ["no peer certificate available"]),
        (["-tls1_2", "-cipher", "AES128-SHA:ECDHE-ECDSA-AES128-SHA"], ["no peer certificate available"]),
      ] {
        let output = try TestProcess.output(place + words)
        for word in expected { #expect(output.contains(word), "\(words): \(output)") }
      }
    }
  }
}
