import EventLoops
import Glibc
import RoostTesting
import Testing
import Transport

/// What TLS refuses, and whom it believes.
@Suite("TLS", .timeLimit(.minutes(30)))
struct TLSTests {
  private let certificates: Certificates

  init() throws { certificates = try Certificates.shared.get() }

  /// A server, and a client that says these bytes in the clear.
  private func stranger(_ bytes: [UInt8]) throws -> StreamPair {
    let pair = try StreamPair(server: certificates.server) { ByteStream($0) }
    let sent = pair.client.send(bytes[...])
    #expect(sent == .done(bytes.count))
    return pair
  }

  /// Reads until the handshake is decided.
  private func decision(_ pair: inout StreamPair) throws -> IOResult {
    var result = IOResult.wouldBlock
    while result == .wouldBlock {
      try pair.wait()
      result = pair.server.next().result
    }
    return result
  }

  // MARK: Strangers

  @Test(arguments: [1, 5, 6, 44])
  func `a peer that vanishes in the middle of its hello is an end`(count: Int) throws {
    var pair = try stranger(Array(Self.oldHello.prefix(count)))
    pair.client.shutdownSending()
    let result = try decision(&pair)
    #expect(result == .endOfStream && !pair.server.isEstablished)
  }

  @Test(arguments: [(UInt8(0), 64), (0xFF, 40_000), (22, 5)])
  func `garbage is a failure with a reason`(byte: UInt8, count: Int) throws {
    let bytes = [UInt8](repeating: byte, count: count)
    var pair = try stranger(bytes)
    let result = try decision(&pair)
    let (failure, isHTTP) = (pair.server.failure, pair.server.peerSpeaksHTTP)
    #expect(result == .failed(EPROTO) && failure != nil && !isHTTP)
    let again = pair.server.next()
    #expect(again.result == .failed(EPROTO))
  }

  @Test func `an HTTP request is recognised, and can be answered in the clear`() throws {
    var pair = try stranger(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    let result = try decision(&pair)
    let isHTTP = pair.server.peerSpeaksHTTP
    #expect(result == .failed(EPROTO) && isHTTP)
    pair.server.giveUpTLS()
    let sent = pair.server.send([1, 2])
    #expect(sent == .done(2))
    try pair.wait()
    let heard = pair.client.next()
    #expect(heard.bytes == [1, 2])
  }

  /// A hello as TLS 1.1 had it, with one cipher.
  private static let oldHello: [UInt8] =
    [22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0xC0, 0x09, 1, 0]

  @Test func `TLS 1.1 is refused by its alert`() throws {
    var pair = try stranger(Self.oldHello)
    let result = try decision(&pair)
    #expect(result == .failed(EPROTO))
    try pair.wait()
    let alert = pair.client.next()
    #expect(alert.bytes.first == 21 && alert.bytes.suffix(2) == [2, 70], "fatal, protocol_version")
  }

  // MARK: Whom a client believes

  private func meet(_ server: TLSServer, _ client: TLSClient, as host: String) throws -> (IOResult, String?) {
    var pair = try StreamPair(server: server) { client.connect($0, to: host) }
    let results = try pair.shakeHands()
    let failure = pair.client.failure
    return (results.client, failure)
  }

  @Test(arguments: ["localhost", "127.0.0.1"])
  func `a name and an address of the certificate are believed`(host: String) throws {
    let (result, failure) = try meet(certificates.server, certificates.client, as: host)
    #expect(result == .done(0) && failure == nil)
  }

  @Test(arguments: [("example.com", "hostname mismatch"), ("127.0.0.2", "IP address mismatch")])
  func `another name or address is not`(host: String, reason: String) throws {
    let (result, failure) = try meet(certificates.server, certificates.client, as: host)
    #expect(result == .failed(EPROTO) && failure?.contains(reason) == true, "\(failure ?? "")")
  }

  @Test func `another authority is not believed, nor is the machine's own trust in it`() throws {
    let others = try TestCertificates()
    for client in [try TLSClient(.file(others.authority)), try TLSClient(.system)] {
      let (result, failure) = try meet(certificates.server, client, as: "localhost")
      #expect(result == .failed(EPROTO) && failure?.contains("certificate verify failed") == true)
    }
    let (result, _) = try meet(certificates.server, try TLSClient(.anybody), as: "whoever")
    #expect(result == .done(0))
  }

  @Test func `an expired certificate is warned of by its owner and refused by others`() throws {
    let server = try TLSServer(try certificates.made.makeExpired("expired"))
    #expect(server.warning == "the certificate has expired" && certificates.server.warning == nil)
    let (result, failure) = try meet(server, certificates.client, as: "localhost")
    #expect(result == .failed(EPROTO) && failure?.contains("expired") == true)
  }

  // MARK: Files

  @Test func `bad files are refused in words`() throws {
    let made = certificates.made
    let other = try made.make("other")
    let good = certificates.identity
    let nonsense = try made.file("nonsense", "not a certificate")
    let cases: [(String, String, String)] = [
      ("/nowhere", good.keyFile, "/nowhere cannot be read: No such file or directory"),
      (good.certificateFile, "/nowhere", "/nowhere cannot be read"),
      (nonsense, good.keyFile, "holds no usable certificate"), (good.certificateFile, nonsense, "holds no usable key"),
      (good.certificateFile, other.keyFile, "does not belong to the certificate"),
    ]
    for (certificate, key, words) in cases {
      let failure = #expect(throws: TLSFailure.self) {
        try TLSServer(TLSIdentity(certificateFile: certificate, keyFile: key))
      }
      #expect(failure?.description.contains(words) == true, "\(failure?.description ?? "")")
    }
    let failure = #expect(throws: TLSFailure.self) { try TLSClient(.file(nonsense)) }
    #expect(failure?.description.contains("holds no certificate") == true)
  }

  @Test func `a key with a password is refused and nobody is asked`() throws {
    let identity = try certificates.made.make("locked")
    let locked = try certificates.made.lock(identity)
    let failure = #expect(throws: TLSFailure.self) { try TLSServer(locked) }
    #expect(failure?.description.contains("holds no usable key") == true, "\(failure?.description ?? "")")
  }

  @Test func `a reload serves the new certificate, and keeps the old when the new is bad`() throws {
    let made = certificates.made
    let served = try made.make("served", for: "DNS:old.example")
    let server = try TLSServer(served)
    try made.replace(served, by: try made.make("fresh", for: "DNS:new.example"))
    #expect(try meet(server, certificates.client, as: "old.example").0 == .done(0), "not before it is told")
    try server.reload()
    #expect(try meet(server, certificates.client, as: "new.example").0 == .done(0))
    let foreign = TLSIdentity(certificateFile: certificates.identity.certificateFile, keyFile: made.authority)
    try made.replace(served, by: foreign)
    #expect(throws: TLSFailure.self) { try server.reload() }
    #expect(try meet(server, certificates.client, as: "new.example").0 == .done(0))
  }
}
