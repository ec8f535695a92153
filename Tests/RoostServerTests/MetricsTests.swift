import Foundation
import RoostServer
import RoostTesting
import Telemetry
import Testing
import Transport

/// What `/metrics` shows: the documented metrics and no others, and numbers that are right.
@Suite("Metrics", .timeLimit(.minutes(20)))
struct MetricsTests {
  /// A metric as `docs/METRICS.md` or the page itself has it.
  struct Entry: Hashable, CustomStringConvertible {
    var name: String
    var kind: String
    var labels: [String]
    var description: String { "\(name) (\(kind)) {\(labels.joined(separator: ", "))}" }
  }

  static let document = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/METRICS.md")

  /// The rows of the document's tables.
  static func documented() throws -> [Entry] {
    try String(contentsOf: document, encoding: .utf8).split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard cells.count > 5, cells[1].hasPrefix("`") else { return nil }
      #expect(!cells[4].isEmpty, "\(cells[1]) has no meaning")
      let labels = cells[3].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      return Entry(name: cells[1].trimmingCharacters(in: ["`"]), kind: cells[2], labels: labels)
    }
  }

  /// The metrics of a page, with the labels of their samples.
  static func exposed(_ page: String) throws -> Set<Entry> {
    var (kinds, labels) = ([String: String](), [String: [String]]())
    for line in page.split(separator: "\n") {
      if let match = line.wholeMatch(of: /# TYPE (\S+) (\S+)/) {
        kinds[String(match.1)] = String(match.2)
      } else if let match = line.wholeMatch(of: /([a-z_]+)(?:\{(.*)\})? \S+/) {
        var name = String(match.1)
        for suffix in ["_bucket", "_sum", "_count"] where kinds[name] == nil && name.hasSuffix(suffix) {
          name.removeLast(suffix.count)
        }
        let names = (match.2 ?? "").matches(of: /(\w+)="(?:[^"\\]|\\.)*"/).map { String($0.1) }.filter { $0 != "le" }
        _ = try #require(kinds[name], "a sample without a type: \(line)")
        #expect(labels[name] ?? names == names, "\(line)")
        labels[name] = names
      } else {
        #expect(line.hasPrefix("# HELP "), "\(line)")
      }
    }
    return Set(kinds.map { Entry(name: $0.key, kind: $0.value, labels: labels[$0.key] ?? []) })
  }

  static func page(_ node: Node, tls: TLSClient? = nil) throws -> String {
    var client = try TestClient(port: node.port, tls: tls)
    try client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    return try #require(try client.answer()).body
  }

  @Test(arguments: [1, 2])
  func `the document lists what a node exposes, and nothing else`(shards: Int) async throws {
    let certificates = try TestCertificates()
    let files = try certificates.make("node")
    let secured = configured {
      $0.shards = shards
      ($0.tls.certificateFile, $0.tls.keyFile) = (files.certificateFile, files.keyFile)
    }
    let entries = try Self.documented()
    #expect(Set(entries).count == entries.count, "a metric stands twice")
    let client = try TLSClient(.file(certificates.authority))
    try await withNode(secured) { node in
      let exposed = try Self.exposed(try Self.page(node, tls: client))
      for entry in exposed.subtracting(entries) { Issue.record("docs/METRICS.md does not have \(entry)") }
      for entry in Set(entries).subtracting(exposed) { Issue.record("no node has \(entry)") }
      #expect(exposed.count > 60)
    }
  }

  /// The value of one series, which must be there.
  static func value(_ page: String, _ series: String) throws -> Double {
    let line = page.split(separator: "\n").first { $0.hasPrefix(series + " ") }
    return try #require(line.flatMap { Double($0.dropFirst(series.count + 1)) }, "\(series) is missing")
  }

  @Test(arguments: [1, 2])
  func `messages are counted by type, once for each who gets them`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      var ann = try TestClient.chat(node, "ann", rooms: ["r"])
      var bob = try TestClient.chat(node, "bob", rooms: ["r"])
      var again = try TestClient.chat(node, "ann", rooms: ["r"])
      for number in 0..<5 {
        try ann.say("hello", in: "r", id: "\(number)")
        #expect(try ann.talk().contains(#""ack""#))
        #expect(try bob.talk().contains(#""new_message""#))
        #expect(try again.talk().contains(#""client_id""#))
      }
      try bob.sendFrame("no message")
      #expect(try bob.talk().contains("INVALID_FORMAT"))
      // Another shard's numbers are those of its last turn that is over.
      var page = ""
      try? eventually("all is counted") {
        page = try Self.page(node)
        return try Self.counted.allSatisfy { try Self.value(page, $0.series) == $0.value }
      }
      for (series, value) in Self.counted { #expect(try Self.value(page, series) == value, "\(series)") }
      #expect(try Self.value(page, "roost_sent_bytes_total") > Self.value(page, "roost_received_bytes_total"))
      // With two shards, the kernel may give all these clients to one of them; the hub hears of everybody.
      let loop = shards == 1 ? "0" : "hub"
      try eventually("a turn is over") {
        try Self.value(Self.page(node), #"roost_loop_lag_seconds_count{loop="\#(loop)"}"#) > 0
      }
    }
  }

  private static func received(_ type: String) -> String { #"roost_messages_received_total{type="\#(type)"}"# }

  private static func sent(_ type: String) -> String { #"roost_messages_sent_total{type="\#(type)"}"# }

  /// Ann hears of bob; nobody hears of himself, and ann comes only once.
  private static let counted: [(series: String, value: Double)] = [
    (received("join_room"), 3), (received("send_message"), 5), (received("unreadable"), 1),
    (sent("new_message"), 10), (sent("ack"), 5), (sent("error"), 1), (sent("room_info"), 3), (sent("user_joined"), 1),
    (sent("other"), 0), ("roost_deliveries_total", 11), ("roost_connections", 3), ("roost_members", 2),
    ("roost_relay_latency_seconds_count", 5), (#"roost_relay_state{state="connected"}"#, 1),
    ("roost_cluster_nodes", 1),
  ]

  @Test func `bytes are those of the wire`() async throws {
    try await withNode { node in
      let before = try Self.page(node)
      var client = try TestClient(port: node.port)
      try client.upgrade("/echo")
      let frame = TestClient.frame([UInt8](repeating: 65, count: 1_000))
      for _ in 0..<10 {
        try client.send(frame)
        #expect(try client.frame()?.payload.count == 1_000)
      }
      let after = try Self.page(node)
      func grown(_ series: String) throws -> Double { try Self.value(after, series) - Self.value(before, series) }
      // The requests and answers besides are of a few hundred bytes and of one page.
      #expect(try (10.0 * 1_008...10.0 * 1_008 + 2_000).contains(grown("roost_received_bytes_total")))
      let answers = 10.0 * 1_004
      #expect(try (answers...answers + Double(before.utf8.count) + 2_000).contains(grown("roost_sent_bytes_total")))
      #expect(try grown(#"roost_messages_received_total{type="echo"}"#) == 10)
    }
  }

  @Test func `how clients end is counted`() async throws {
    try await withNode { node in
      for code in [[0x03, 0xE8], [0x03, 0xE9], [], [0x0F, 0xA0]] as [[UInt8]] {
        var client = try TestClient.chat(node, "u")
        try client.send(TestClient.frame(code, opcode: 8))
        #expect(try client.frame()?.opcode == 8)
      }
      var lost = try TestClient.chat(node, "u")
      lost.shutdownSending()
      #expect(try lost.isAtEnd())
      let page = try Self.page(node)
      for reason in ["normal", "going_away", "no_code", "other_code", "lost"] {
        #expect(try Self.value(page, #"roost_peer_closes_total{reason="\#(reason)"}"#) == 1, "\(reason)")
      }
    }
  }

  @Test func `logged events are in the metrics`() async throws {
    let lines = LogLines()
    let log = Log(level: .debug, format: .json, sink: { lines.add($0) })
    try await withNode(log: log) { node in
      var stranger = try TestClient(port: node.port)
      try stranger.send(TestClient.upgradeRequest("/ws?token=SENTINEL.token.text"))
      #expect(try stranger.answer()?.status == 401)
      let page = try Self.page(node)
      #expect(try Self.value(page, #"roost_log_events_total{level="debug"}"#) > 0)
    }
    #expect(lines.text.contains(#""event":"handshake refused","reason":"token""#))
    #expect(!lines.text.contains("SENTINEL"))
  }
}
