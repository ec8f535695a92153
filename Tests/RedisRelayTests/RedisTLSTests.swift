import RealtimeCore
import RedisRelay
import RoostTesting
import Testing
import Transport

/// A real Redis behind TLS.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RedisTLSTests {
  private let certificates: TestCertificates

  init() throws { certificates = try TestCertificates() }

  /// A server with a certificate for `names`, and its TLS port.
  private func server(for names: String = "IP:127.0.0.1", clients: String = "no") throws -> (RedisServer, UInt16) {
    let (own, port) = (try certificates.make("redis", for: names), try RedisServer.freePort())
    let server = try RedisServer([
      "--tls-port", "\(port)", "--tls-cert-file", own.certificateFile, "--tls-key-file", own.keyFile,
      "--tls-ca-cert-file", certificates.authority, "--tls-auth-clients", clients,
    ])
    return (server, port)
  }

  private func node(
    _ bench: RelayBench, _ port: UInt16, id: String = "n1", trust: String? = nil, identity: TLSIdentity? = nil
  ) throws -> BenchNode {
    let url = try RedisURL("rediss://127.0.0.1:\(port)")
    let client = try TLSClient(.file(trust ?? certificates.authority), identity: identity)
    return bench.add(
      try RedisRelayConfiguration(server: url, nodeID: id), secure: (client: client, host: "127.0.0.1"))
  }

  /// More than fits into one record, many times over, both ways.
  @Test func `Requests, replies and frames pass, big and many`() throws {
    let (redis, port) = try server()
    let bench = try RelayBench()
    let nodes = [try node(bench, port), try node(bench, port, id: "n2")]
    try bench.waitConnected()
    let padding = String(repeating: "p", count: 20_000)
    let tickets = (0..<40).map { room in
      let ids = (0..<5).map { "\(room)-\($0)-\(padding)" }
      let publications = ids.map { RelayBench.publication($0, room: "r\(room)") }
      return bench.submit(.publish(RoomName("r\(room)")!, publications), on: nodes[0])
    }
    for ticket in tickets {
      guard case .published(let outcomes) = try bench.reply(ticket, on: nodes[0]) else {
        throw RelayBench.TooLate(description: "not published")
      }
      #expect(outcomes.count == 5)
    }
    for node in nodes { try bench.wait("all frames") { node.frames.count == 200 } }
    #expect(try bench.history("r7", on: nodes[1]).messages.count == 5)
    #expect(try redis.ask("CLIENT", "LIST").split(separator: "\n").count == 5, "two for each, and who asks")
    for node in nodes { #expect(node.troubles.isEmpty, "\(node.notices)") }
  }

  @Test func `A Redis that comes back is greeted through TLS again`() throws {
    let (redis, port) = try server()
    let bench = try RelayBench()
    let node = try node(bench, port)
    try bench.waitConnected()
    redis.kill()
    try bench.wait("it is noticed") { node.troubles == [.unreachable] }
    try redis.start()
    try bench.wait("all is well") { node.troubles == [.unreachable, nil] }
    #expect(try bench.publish(["a"], on: node)[0].position.offset == 1)
  }

  @Test func `Another authority's certificate is refused, in words, and not in a loop`() throws {
    let (redis, port) = try server()
    let bench = try RelayBench()
    let others = try TestCertificates()
    let node = try node(bench, port, trust: others.authority)
    try bench.wait("degraded") { node.state == .degraded }
    #expect(node.troubles == [.tls])
    #expect(node.notices.count == 1 && node.notices[0].contains("certificate verify failed"), "\(node.notices)")
    #expect(node.notices[0].contains("[tls]"))
    let before = try redis.load().connections
    bench.run(milliseconds: 2_000)
    // Two connections, each with a pause after a refusal; reading the number is a connection too.
    let tries = try redis.load().connections - before
    #expect((1...12).contains(tries), "\(tries)")
  }

  @Test func `A certificate for another name is refused`() throws {
    let (redis, port) = try server(for: "DNS:redis.example,IP:127.0.0.2")
    let bench = try RelayBench()
    let node = try node(bench, port)
    try bench.wait("it is noticed") { node.troubles == [.tls] }
    #expect(node.notices[0].contains("mismatch"), "\(node.notices)")
    #expect(try redis.ask("PING") == "PONG\n")
  }

  @Test func `A client's certificate is shown to a server that wants one`() throws {
    let (redis, port) = try server(clients: "yes")
    let bench = try RelayBench()
    let bare = try node(bench, port)
    // In TLS 1.3 the server says no after our side of the handshake is done: its reset may overtake its alert.
    try bench.wait("it is refused") { bare.troubles == [.tls] || bare.troubles == [.unreachable] }
    let known = try node(bench, port, id: "n2", identity: try certificates.make("node"))
    try bench.wait("the other is in") { known.state == .connected }
    #expect(try bench.publish(["a"], on: known)[0].position.offset == 1)
    #expect(known.troubles.isEmpty)
    #expect(try redis.ask("PING") == "PONG\n")
  }

  @Test func `TLS towards a server that has none fails`() throws {
    let redis = try RedisServer()
    let bench = try RelayBench()
    let node = try node(bench, redis.port)
    try bench.wait("degraded") { node.state == .degraded }
    #expect([.tls, .unreachable].contains(node.troubles.first))
  }
}
