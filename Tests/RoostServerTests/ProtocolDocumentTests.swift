import RealtimeCore
import Telemetry
import Testing
import WebSocketCore

@testable import RoostServer

/// `docs/PROTOCOL.md` says what a node does: its conversations are had with one, and its tables are complete.
@Suite("Protocol: the document", .timeLimit(.minutes(20)))
struct ProtocolDocumentTests {
  private static let document = (try? Documents.text("PROTOCOL.md")) ?? ""
  /// None when one of them cannot be read, which the second test says.
  private static let transcripts = (try? Transcript.all(in: document)) ?? []

  @Test(arguments: transcripts)
  func `a node answers as the transcript says`(transcript: Transcript) async throws {
    try await TranscriptPlayer.play(transcript)
  }

  @Test func `all transcripts can be read`() throws {
    #expect(try Transcript.all(in: Self.document).count >= 8)
    #expect(Self.document.ranges(of: "```transcript\n").count == Self.transcripts.count)
  }

  @Test(arguments: [
    #"ann ← {"type":"pong","timestamp":"…","id":"2"}"#, #"ann ← {"type":"pong","timestamp":"…"}"#,
    #"ann ← {"type":"pong","timestamp":…,"id":"1"}"#, "ann ← close 1000", "ann is late", "bob ← {}", "",
  ])
  func `a transcript that is wrong is noticed`(line: String) async throws {
    let text = "```transcript\nann connects\n" + #"ann → {"type":"ping","id":"1"}"# + "\n\(line)\n```\n"
    await #expect(throws: (any Error).self) {
      for transcript in try Transcript.all(in: text) { try await TranscriptPlayer.play(transcript) }
    }
  }

  @Test func `names stand for what was heard first`() {
    var names = TranscriptNames()
    let isTaken = names.matches(#"{"a":"‹x›","b":…,"c":"‹x›"}"#, #"{"a":"1\"","b":-2.5,"c":"1\""}"#)
    let (isAnother, isEmpty) = (names.matches(#""‹x›""#, #""2""#), names.matches(#""…""#, #""""#))
    #expect(isTaken && !isAnother && !isEmpty)
    let filled = names.fill("‹x›‹y›") { $0 == "y" ? "!" : nil }
    #expect(filled == #"1\"!"#)
  }

  @Test func `every type, error and close code is in the tables`() {
    let sent = SentKind.allCases.filter { $0 != .echo && $0 != .other }.map(\.word)
    let received = ReceivedKind.allCases.filter { $0 != .echo && $0 != .unreadable }.map(\.word)
    let errors = ClientMistake.Code.allCases.map { "\($0.name)" }
    for name in sent + received + errors { #expect(Self.document.contains("`\(name)`"), "\(name)") }
    // What has no frame has no code that a client reads.
    let closes = Set(CloseReason.allCases.map(\.code)).subtracting([.abnormal]).union([.normal, .goingAway])
    for code in closes { #expect(Self.document.contains("| \(code.rawValue) |"), "\(code.rawValue)") }
  }
}
