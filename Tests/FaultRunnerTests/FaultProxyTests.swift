import EventLoops
import Glibc
import Testing

@testable import RoostTesting

@Suite(.timeLimit(.minutes(30)))
struct FaultProxyTests {
  private let server: EchoServer
  private let proxy: FaultProxy

  init() throws {
    server = try EchoServer()
    proxy = try FaultProxy(target: server.port, seed: 1)
  }

  @Test func `passes everything on, both ways and the end`() throws {
    let client = try PlainClient(port: proxy.port)
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    onNewThread(name: "sender") { client.send(bytes) }
    #expect(client.receive(bytes.count) == bytes)
    client.finish()
    #expect(client.isAtEnd)
    #expect(proxy.connections == 1)
  }

  @Test func `cuts, refuses, and lets in again`() throws {
    let client = try PlainClient(port: proxy.port)
    #expect(client.echo("a") == "a")
    proxy.order(.refuse(true))
    proxy.order(.cut(.all))
    #expect(client.isAtEnd)
    #expect(try PlainClient(port: proxy.port).isAtEnd)
    proxy.order(.refuse(false))
    // The order may still be on its way.
    while true {
      let again = try PlainClient(port: proxy.port)
      if again.echo("b") == "b" { break }
    }
  }

  @Test func `a stranded connection tells nothing, not even its end`() throws {
    let client = try PlainClient(port: proxy.port)
    #expect(client.echo("a") == "a")
    client.waits(seconds: 0.3)
    proxy.order(.strand(.all))
    while client.echo("b") == "b" {}
    #expect(!client.isAtEnd)
    proxy.order(.cut(.all))
    // The cut may still be on its way.
    while try PlainClient(port: proxy.port).echo("c") != "c" {}
    #expect(!client.isAtEnd, "it is half-open for good")
  }

  @Test func `what is held back comes when it is let go`() throws {
    let client = try PlainClient(port: proxy.port)
    #expect(client.echo("a") == "a")
    client.waits(seconds: 0.3)
    proxy.order(.treat(.all, .init(holdsToClient: true)))
    var sent = ""
    while true {
      sent = "b\(sent.count)"
      guard client.echo(sent) == sent else { break }
    }
    proxy.order(.treat(.all, .init()))
    client.waits(seconds: 120)
    #expect(String(decoding: client.receive(sent.utf8.count), as: UTF8.self) == sent)
  }

  @Test func `only the subscriber is deaf`() throws {
    let (subscriber, other) = (try PlainClient(port: proxy.port), try PlainClient(port: proxy.port))
    #expect(subscriber.echo("SUBSCRIBE x") == "SUBSCRIBE x")
    subscriber.waits(seconds: 0.3)
    #expect(other.echo("PING") == "PING")
    proxy.order(.strand(.subscriber))
    while subscriber.echo("y") == "y" {}
    #expect(other.echo("PING") == "PING")
  }

  @Test func `delay keeps the order`() throws {
    proxy.order(.treat(.all, .init(delay: 0...20)))
    let client = try PlainClient(port: proxy.port)
    let words = (0..<50).map { "\($0) " }
    for word in words {
      client.send(Array(word.utf8))
      usleep(1_000)
    }
    let text = words.joined()
    #expect(String(decoding: client.receive(text.utf8.count), as: UTF8.self) == text)
  }

  @Test func `each byte leaves by itself`() throws {
    var ends: [CInt] = [0, 0]
    try #require(unsafe socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
    let near = Socket(taking: ends[0])
    let far = PlainClient(taking: ends[1])
    var flow = ProxyPair.Flow()
    flow.append(Array("abc".utf8), due: 0)
    let isWell = flow.flush(into: near, byteByByte: true, 0)
    #expect(isWell)
    for letter in "abc" { #expect(far.receiveOnce() == [letter.asciiValue!]) }
  }

  @Test func `injects words and truncates answers`() throws {
    let client = try PlainClient(port: proxy.port)
    #expect(client.echo("a") == "a")
    proxy.order(.inject(.all, Array("nonsense".utf8)))
    #expect(String(decoding: client.receive(8), as: UTF8.self) == "nonsense")
    proxy.order(.truncate(.all))
    // A byte at least goes to and fro before the order is sure to be known; a half of one byte is nothing.
    while client.echo("b") == "b" {}
    #expect(client.isAtEnd)
  }

  @Test func `new connections go to a new address, old ones stay`() throws {
    let old = try PlainClient(port: proxy.port)
    #expect(old.echo("a") == "a")
    let other = try RedisImpostor { _ in Array("other".utf8) }
    defer { other.stop() }
    proxy.order(.target(other.port))
    while try PlainClient(port: proxy.port, patience: 2).receive(5) != Array("other".utf8) {}
    #expect(old.echo("b") == "b")
  }
}
