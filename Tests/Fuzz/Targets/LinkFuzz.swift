#if DEBUG || FUZZING
  import Buffers
  import EventLoops
  import RealtimeCore

  @testable import RedisRelay

  /// A whole relay with somebody else in Redis' place.
  ///
  /// - Every request is answered exactly once, whatever comes.
  /// - Nothing in a notice could harm a terminal or a log.
  ///
  /// An input is parts with a byte 0xFF between them, for the command connection and the subscriber in turn, 20 ms
  /// apart. Until the first 0xFE the greeting is Redis' own; with one, what stands before it takes the greeting's
  /// place, in the same way.
  enum LinkFuzz {
    static func run(_ bytes: [UInt8]) throws(Finding) {
      let halves = bytes.split(separator: 0xFE, maxSplits: 1, omittingEmptySubsequences: false)
      var bench = try LinkBench()
      for line in [RedisRelay.Line.command, .subscriber] { bench.hear([], on: line) }
      if halves.count == 2 {
        bench.hear(parts: halves[0])
      } else {
        bench.hear(LinkBench.commandGreeting, on: .command)
        bench.hear(LinkBench.subscriberGreeting, on: .subscriber)
        bench.hear(LinkBench.boot, on: .command)
        bench.hear(LinkBench.subscriptions, on: .subscriber)
      }
      bench.ask()
      bench.hear(parts: halves[halves.count - 1])
      bench.ask()
      try bench.finish()
    }
  }

  /// The relay, its two wires, and what is not answered.
  private struct LinkBench: ~Copyable {
    private var relay: RedisRelay
    private let wires: [RedisRelay.Line: FedWire]
    private var now: Int64 = 1_000
    private var ticket: RelayTicket = 1
    private var unanswered: Set<RelayTicket> = []
    private var answeredTwice = false
    private var notices: [String] = []

    init() throws(Finding) {
      let server = RedisURL(place: .unixSocket(path: "/nowhere"))
      guard var configuration = try? RedisRelayConfiguration(server: server, nodeID: "n1") else {
        throw Finding(description: "the configuration is refused")
      }
      configuration.replyBytes = 1 << 16
      let surroundings = RelaySurroundings(
        secret: { String(repeating: "0", count: $0) }, wallClock: { 1_760_000_000_000 }, wake: {})
      let (command, subscriber) = (FedWire(), FedWire())
      wires = [.command: command, .subscriber: subscriber]
      relay = RedisRelay(
        configuration: configuration, command: command, subscriber: subscriber, surroundings: surroundings, seed: 5)
      relay.start(now: now)
    }

    /// What Redis 7 says to a greeting.
    static let commandGreeting = info("server") + info("replication") + info("cluster") + hashes
    static let subscriberGreeting = info("server")
    static let boot = Array(("*2\r\n$70\r\n" + generation + "\r\n$16\r\n1760000000000000\r\n").utf8)
    static let subscriptions = Array(
      "*3\r\n$9\r\nsubscribe\r\n$12\r\nws:broadcast\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$10\r\nws:node:n1\r\n:2\r\n".utf8)

    private static let generation =
      String(repeating: "0a", count: 12) + "-" + String(repeating: "0", count: 12) + "."
      + String(repeating: "0", count: 32)
    private static let hashes = Script.allCases.flatMap { _ in
      Array("$40\r\n\(String(repeating: "b", count: 40))\r\n".utf8)
    }

    private static func info(_ section: String) -> [UInt8] {
      let id = String(repeating: "0a", count: 20)
      let text =
        switch section {
        case "server": "# Server\r\nredis_version:7.0.15\r\nrun_id:\(id)\r\n"
        case "replication": "# Replication\r\nrole:master\r\nmaster_replid:\(id)\r\n"
        default: "# Cluster\r\ncluster_enabled:0\r\n"
        }
      return Array("$\(text.utf8.count)\r\n\(text)\r\n".utf8)
    }

    mutating func hear(parts: ArraySlice<UInt8>) {
      var line = RedisRelay.Line.command
      for part in parts.split(separator: 0xFF, omittingEmptySubsequences: false).prefix(16) {
        hear(Array(part), on: line)
        line = line == .command ? .subscriber : .command
      }
    }

    mutating func hear(_ bytes: [UInt8], on line: RedisRelay.Line) {
      now += 20
      wires[line]?.feed(bytes)
      relay.advance(to: now)
      relay.ready(line, isReadable: !bytes.isEmpty, now: now)
      settle()
    }

    /// One request of each sort.
    mutating func ask() {
      guard let room = RoomName("r") else { return }
      let publication = Publication(text: Array("{".utf8), userID: "ann", clientID: Array("c".utf8))
      let requests: [RelayRequest] = [
        .publish(room, [publication, publication]), .read([(room, nil), (room, Position(epoch: "e", offset: 3))]),
        .history(room, before: nil, limit: 5), .heartbeat(incarnation: "n1-a", connections: 3),
        .register(incarnation: "n1-a", replaces: nil, connections: 3), .roster(room), .online, .broadcast([1]),
        .changePresence(incarnation: "n1-a", [PresenceChange(room: room, user: "ann", name: "", isJoin: true)]),
        .reap(incarnation: "n2-b"), .send(node: "n2", [2]),
        .revocations(after: 4), .revoke([Revocation.user("ann", issuedUntil: 5, until: 9)].compactMap(\.self)),
      ]
      for request in requests {
        relay.submit(request, ticket: ticket)
        unanswered.insert(ticket)
        ticket += 1
      }
      settle()
    }

    mutating func finish() throws(Finding) {
      for _ in 0..<8 {
        now += 700
        relay.advance(to: now)
        settle()
      }
      relay.stop()
      settle()
      try demand(unanswered.isEmpty, "\(unanswered.count) requests have no answer")
      try demand(!answeredTwice, "a request was answered twice")
      for notice in notices {
        try demand(notice.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "in the log: \(notice.debugDescription)")
      }
    }

    private mutating func settle() {
      relay.tick(now: now)
      var events: [RelayEvent] = []
      relay.takeEvents(into: &events)
      for event in events {
        guard case .reply(let ticket, _) = event else { continue }
        if unanswered.remove(ticket) == nil { answeredTwice = true }
      }
      notices += relay.takeNotices()
    }
  }

  /// A wire that is always connected and brings what it is fed.
  private final class FedWire: RedisWire {
    private var waiting: [UInt8] = []

    func feed(_ bytes: [UInt8]) { waiting += bytes }

    func connect(to address: Address) throws(SystemError) { waiting = [] }
    func finishConnecting() throws(SystemError) -> Bool { true }
    var holdsMore: Bool { false }
    var failure: String? { nil }

    func receive(into buffer: inout MutableRawSpan) -> IOResult {
      guard !waiting.isEmpty else { return .wouldBlock }
      let count = min(waiting.count, buffer.byteCount)
      unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: waiting[..<count]) }
      waiting.removeFirst(count)
      return .done(count)
    }

    func send(_ bytes: borrowing RawSpan) -> IOResult { .done(bytes.byteCount) }
    func watch(writing: Bool) {}
    func close() { waiting = [] }
  }
#endif
