import Foundation
import Glibc
import RoostTesting
import Telemetry
import Tokens

@testable import RoostServer

/// Has the conversation of a transcript with a node of its own, which has the default limits and more time.
struct TranscriptPlayer {
  /// What the node did otherwise.
  struct Mismatch: Error, CustomStringConvertible {
    let line: Int
    let expected: String
    let got: String
    var description: String { "line \(line): expected\n  \(expected)\ngot\n  \(got)" }
  }

  private final class Person {
    var client: TestClient
    init(_ client: consuming TestClient) { self.client = client }
  }

  private struct NoFile: Error {}

  private let node: Node
  private var people: [String: Person] = [:]
  private var names = TranscriptNames()
  private var answer: TestClient.Answer?

  private init(_ node: Node) { self.node = node }

  static func play(_ transcript: Transcript) async throws {
    var flags: [String] = []
    if case .node(let given) = transcript.lines.first?.step { flags = given }
    let reader = ConfigurationReader(arguments: flags, environment: [:], base: base) { _ in throw NoFile() }
    guard reader.problems.isEmpty else {
      let line = transcript.lines.first
      throw Mismatch(line: line?.number ?? 0, expected: line?.text ?? "", got: reader.problems.joined(separator: "; "))
    }
    try await withNode(reader.configuration) { node in
      var player = TranscriptPlayer(node)
      for line in transcript.lines { try player.play(line) }
      try player.end(transcript.lines.last?.number ?? 0)
    }
  }

  private static var base: ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = 0
    configuration.shards = 1
    configuration.secret = testSecret
    configuration.apiKeys = [Array(testKey.utf8)]
    configuration.times = configured().times
    // Whoever is cut off comes back in time.
    configuration.leaveGraceSeconds = 600
    return configuration
  }

  private mutating func play(_ line: Transcript.Line) throws {
    switch line.step {
    case .node: return
    case .connects(let who, let role, let rooms, let seconds): try connect(who, role, rooms, seconds)
    case .isCutOff(let who): people[who] = nil
    case .says(let who, let text): try person(who, line).client.sendFrame(filled(text))
    case .closes(let who, let code):
      try person(who, line).client.send(TestClient.frame([UInt8(code >> 8), UInt8(code & 0xFF)], opcode: 8))
    case .hears(let who, let text):
      let got = try heard(person(who, line))
      guard names.matches(text, got) else { throw Mismatch(line: line.number, expected: line.text, got: got) }
    case .isClosed(let who, let code, let reason):
      let got = try heard(person(who, line))
      guard got == (reason.isEmpty ? "close \(code)" : "close \(code) \(reason)") else {
        throw Mismatch(line: line.number, expected: line.text, got: got)
      }
      people[who] = nil
    case .calls(let method, let path, let body): try call(method, path, body)
    case .isAnswered(let status, let body):
      let got = answer.map { "\($0.status) \($0.body)" } ?? "no answer"
      guard answer?.status == status, names.matches(body, answer?.body ?? "") else {
        throw Mismatch(line: line.number, expected: line.text, got: got)
      }
    }
  }

  /// Nobody hears more than the document says.
  private mutating func end(_ line: Int) throws {
    for (who, person) in people {
      try person.client.sendFrame(#"{"type":"ping","id":"the end"}"#)
      let got = try heard(person)
      guard names.matches(#"{"type":"pong","timestamp":"…","id":"the end"}"#, got) else {
        throw Mismatch(line: line, expected: "nothing more for \(who)", got: got)
      }
    }
  }

  // MARK: People

  private func person(_ who: String, _ line: Transcript.Line) throws -> Person {
    guard let person = people[who] else {
      throw Mismatch(line: line.number, expected: line.text, got: "\(who) is not connected")
    }
    return person
  }

  /// `ann/phone` is another connection of ann.
  private mutating func connect(_ who: String, _ role: String?, _ rooms: String?, _ seconds: Int64) throws {
    var grants = RoomGrants()
    if let rooms {
      let object = try JSONSerialization.jsonObject(with: Data(rooms.utf8)) as? [String: [String]]
      grants = RoomGrants(join: object?["join"], send: object?["send"])
    }
    let user = String(who.prefix { $0 != "/" })
    var client = try TestClient(port: node.port)
    try client.upgrade("/ws?token=\(token(user, role: role, rooms: grants, seconds: seconds))")
    people[who] = Person(client)
  }

  private func heard(_ person: Person) throws -> String {
    do {
      guard let frame = try person.client.frame() else { return "the end of the connection" }
      guard frame.opcode == 8 else { return frame.text }
      let reason = String(decoding: frame.payload.dropFirst(2), as: UTF8.self)
      return "close \(frame.closeCode ?? 1005)" + (reason.isEmpty ? "" : " \(reason)")
    } catch TestClient.Failure.timeout {
      return "nothing"
    }
  }

  // MARK: Backends

  private mutating func call(_ method: String, _ path: String, _ body: String?) throws {
    var client = try TestClient(port: node.port)
    try client.call(path, body.map { try filled($0) }, method: method)
    answer = try client.answer()
  }

  // MARK: Names

  private mutating func filled(_ text: String) throws -> String { try names.fill(text, Self.minted) }

  /// What `token of ann` stands for, or `token of ann for a b`, which opens the rooms a and b.
  private static func minted(_ name: String) throws -> String? {
    guard let match = name.wholeMatch(of: /token of (\w+)(?: for (.+))?/) else { return nil }
    let rooms = match.2.map { $0.split(separator: " ").map(String.init) }
    return try token(String(match.1), rooms: RoomGrants(join: rooms))
  }
}
