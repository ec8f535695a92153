import EventLoops
import RoostTesting
import Testing

/// `roost chat`, `publish` and `status` by `wss://` and `https://`.
@Suite("commands over TLS", .serialized, .timeLimit(.minutes(10)))
struct SecureCommandTests {
  private static func scheme(_ command: String) -> String { command == "chat" ? "wss" : "https" }

  private static let words = [
    "chat": ["--room", "r"], "publish": ["--room", "r", "hello"], "status": ["--once"],
  ]

  @Test(arguments: ["chat", "publish", "status"])
  func `they work where the authority is right, named or the machine's`(command: String) throws {
    let certificates = try TestCertificates()
    let node = try SecureNode(certificates.make("node"))
    // Where OpenSSL looks for the machine's authorities, as its own documents have it.
    let machine: SecureNode.Trust = ([], ["SSL_CERT_FILE": certificates.authority, "SSL_CERT_DIR": "/nowhere"])
    let named: SecureNode.Trust = (["--ca-file", certificates.authority], [:])
    for trust in [named, machine] {
      for host in ["127.0.0.1", "localhost"] {
        let url = "\(Self.scheme(command))://\(host):\(node.port)"
        let (code, text) = try SecureNode.run(command, at: url, Self.words[command] ?? [], trust: trust)
        #expect(code == 0, "\(text)")
        let expected = ["chat": "you are in r", "publish": "1 ", "status": "1 node, 0 connections"]
        // Of four messages only the first is number 1.
        if command != "publish" { #expect(text.contains(expected[command] ?? "?"), "\(text)") }
      }
    }
  }

  @Test(arguments: ["chat", "publish", "status"], DoubtfulCertificate.allCases)
  func `they say in one line why a server is not believed, and do not try again`(
    command: String, doubt: DoubtfulCertificate
  ) async throws {
    let (certificates, strangers) = (try TestCertificates(), try TestCertificates())
    let node = try SecureNode(doubt.make(certificates, strangers))
    let gate = try FaultProxy(target: node.port, seed: 23)
    let url = "\(Self.scheme(command))://\(doubt.host):\(gate.port)"
    let (code, text) = try SecureNode.run(
      command, at: url, Self.words[command] ?? [], trust: (["--ca-file", certificates.authority], [:]))
    #expect(code == 1)
    let place = command == "chat" ? "" : "\(url): "
    #expect(text == "roost \(command): \(place)the server's certificate is not believed: \(doubt.reason)\n")
    // The proxy counts a little later than it accepts.
    try await ClusterUnderTest.eventually("the connection is counted", seconds: 60) { gate.connections > 0 }
    #expect(gate.connections == 1)
  }

  @Test(arguments: ["chat", "status"]) func `what is wrong with the authority's file is told`(command: String) throws {
    let certificates = try TestCertificates()
    let empty = try certificates.file("empty.pem", "")
    for (file, words) in [("/nowhere/authority.pem", "cannot be read"), (empty, "holds no certificate")] {
      let (code, text) = try SecureNode.run(
        command, at: "\(Self.scheme(command))://127.0.0.1:1", trust: (["--ca-file", file], [:]))
      #expect(code == (command == "chat" ? 2 : 1) && text.contains(file) && text.contains(words), "\(text)")
    }
  }
}
