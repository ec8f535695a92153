import EventLoops
import RoostClient
import RoostTesting
import Testing
import Transport

/// `RoostClient` by `wss://`, at real nodes with certificates that are good and that are not.
@Suite("Swift client over TLS", .serialized, .timeLimit(.minutes(10)))
struct SecureClientTests {
  private func client(
    _ user: String, at host: String = "127.0.0.1", port: UInt16, _ certificates: TestCertificates, attempts: Int? = nil
  ) throws -> RoostClient {
    var configuration = ClientConfiguration(url: "wss://\(host):\(port)/ws", token: try SwiftClientTests.token(user))
    (configuration.backoff, configuration.longestBackoff) = (.milliseconds(10), .milliseconds(200))
    configuration.trust = .file(certificates.authority)
    configuration.firstAttempts = attempts
    return try RoostClient(configuration)
  }

  @Test(arguments: ["127.0.0.1", "localhost"])
  func `connections are cut all the time, and nothing is lost or doubled`(host: String) async throws {
    let certificates = try TestCertificates()
    let node = try SecureNode(certificates.make("node"))
    let gate = try FaultProxy(target: node.port, seed: 21)
    let anna = try client("anna", at: host, port: gate.port, certificates)
    let ben = try client("ben", at: host, port: node.port, certificates)
    for each in [anna, ben] {
      try await each.connect()
      try await each.joinRoom("r")
    }
    let count = 120
    async let heardByAnna = SwiftClientTests.contents(anna, until: "end") { if $0 % 29 == 0 { gate.order(.cut(.all)) } }
    async let heardByBen = SwiftClientTests.contents(ben, until: "end of anna")
    async let annas = SwiftClientTests.talk(anna, "anna", count) { if $0 % 23 == 0 { gate.order(.cut(.all)) } }
    async let bens = SwiftClientTests.talk(ben, "ben", count) { _ in }
    let offsets = try await (anna: annas, ben: bens)
    try await anna.sendMessage("end of anna", to: "r")
    try await ben.sendMessage("end", to: "r")
    let (a, b) = (await heardByAnna, await heardByBen)
    #expect(a.contents == (1...count).map { "ben \($0)" } + ["end"])
    #expect(b.contents == (1...count).map { "anna \($0)" } + ["end of anna"])
    #expect(a.missed == 0 && b.missed == 0)
    #expect(Array(a.offsets.dropLast()) == offsets.ben && Array(b.offsets.dropLast()) == offsets.anna)
    #expect(gate.connections > 1)
    for each in [anna, ben] { await each.disconnect() }
  }

  @Test(arguments: DoubtfulCertificate.allCases)
  func `a certificate that is not to be believed is told, and it is over`(_ doubt: DoubtfulCertificate) async throws {
    let (certificates, strangers) = (try TestCertificates(), try TestCertificates())
    let node = try SecureNode(doubt.make(certificates, strangers))
    // Nothing says how often to try, which is for ever.
    let anna = try client("anna", at: doubt.host, port: node.port, certificates)
    let error = ClientError.untrusted(doubt.reason)
    await #expect(throws: error) { try await anna.connect() }
    var events: [ClientEvent] = []
    for await event in anna.events { events.append(event) }
    #expect(events == [.connection(.ended(error))])
    await #expect(throws: error) { try await anna.joinRoom("r") }
    #expect("\(error)" == "the server's certificate is not believed: \(doubt.reason)")
  }

  @Test(arguments: DoubtfulCertificate.allCases)
  func `a server that was believed is tried until it can be again`(_ doubt: DoubtfulCertificate) async throws {
    let (certificates, strangers) = (try TestCertificates(), try TestCertificates())
    let good = try SecureNode(certificates.make("good"))
    let bad = try SecureNode(doubt.make(certificates, strangers))
    let gate = try FaultProxy(target: good.port, seed: 22)
    let anna = try client("anna", at: doubt.host, port: gate.port, certificates)
    let ben = try client("ben", port: good.port, certificates)
    for each in [anna, ben] {
      try await each.connect()
      try await each.joinRoom("r")
    }
    gate.order(.target(bad.port))
    gate.order(.cut(.all))
    async let said = anna.sendMessage("from anna", to: "r")
    let reason = "the server's certificate is not believed: \(doubt.reason)"
    // More than once: it goes on.
    var told = 0
    for await case .connection(.waiting(reason, _)) in anna.events {
      told += 1
      if told == 2 { break }
    }
    try await ben.sendMessage("while she is away", to: "r")
    gate.order(.target(good.port))
    _ = try await said
    for await case .message(let message) in anna.events {
      #expect(message.content == "while she is away")
      break
    }
    for await case .message(let message) in ben.events {
      #expect(message.content == "from anna")
      break
    }
    for each in [anna, ben] { await each.disconnect() }
  }

  @Test func `what speaks no TLS is not there for wss, and ws is refused where TLS is spoken`() async throws {
    let certificates = try TestCertificates()
    let cluster = try await ClusterUnderTest(nodes: 1)
    let anna = try client("anna", port: cluster.nodes[0].port, certificates, attempts: 1)
    await #expect(throws: ClientError.unreachable("what answers does not speak TLS")) { try await anna.connect() }
    let node = try SecureNode(certificates.make("node"))
    let plain = try RoostClient(ClientConfiguration(url: "ws://127.0.0.1:\(node.port)/ws", token: "a.b.c"))
    await #expect(throws: ClientError.refused(status: 400)) { try await plain.connect() }
    #expect(throws: ClientError.self) {
      var configuration = ClientConfiguration(url: "wss://127.0.0.1:1/ws", token: "a.b.c")
      configuration.trust = .file("/nowhere/authority.pem")
      _ = try RoostClient(configuration)
    }
  }
}
