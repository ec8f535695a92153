import Testing

/// A conversation that a document shows, to be had with a real node. How it is written is in `docs/TESTING.md`.
struct Transcript: Sendable, CustomTestStringConvertible {
  enum Step: Equatable, Sendable {
    /// The settings of the node, as flags.
    case node([String])
    case connects(String, role: String?, rooms: String?, seconds: Int64)
    case isCutOff(String)
    case says(String, String)
    case closes(String, code: UInt16)
    case hears(String, String)
    case isClosed(String, code: Int, reason: String)
    case calls(method: String, path: String, body: String?)
    case isAnswered(status: Int, String)
  }

  struct Line: Sendable {
    let number: Int
    let text: String
    let step: Step
  }

  struct Unreadable: Error { let number: Int, text: String }

  let title: String
  let lines: [Line]

  var testDescription: String { title }

  /// All conversations of a document in Markdown: blocks of code whose language is `transcript`, called by the heading
  /// that they stand under.
  static func all(in document: String) throws -> [Transcript] {
    var (transcripts, heading): ([Transcript], Substring) = ([], "")
    var open: [Line]?
    for (index, text) in document.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if let lines = open {
        if text == "```" {
          transcripts.append(Transcript(title: "\(heading), line \(lines.first?.number ?? index)", lines: lines))
          open = nil
        } else if !text.isEmpty && !text.hasPrefix("#") {
          open = lines + [try Line(index + 1, String(text))]
        }
      } else if text == "```transcript" {
        open = []
      } else if text.hasPrefix("#") {
        heading = text.drop { $0 == "#" || $0 == " " }
      }
    }
    return transcripts
  }
}

extension Transcript.Line {
  init(_ number: Int, _ text: String) throws {
    guard let step = Transcript.Step(text) else { throw Transcript.Unreadable(number: number, text: text) }
    self.init(number: number, text: text, step: step)
  }
}

extension Transcript.Step {
  init?(_ text: String) {
    let connecting = /(\S+) connects(?: as (\w+))?(?: with rooms (\{.*\}))?(?: for (\d+) s)?/
    if let flags = text.wholeMatch(of: /node (--.*)/)?.1 {
      self = .node(flags.split(separator: " ").map(String.init))
    } else if let match = text.wholeMatch(of: connecting) {
      let (_, who, role, rooms, seconds) = match.output
      self = .connects(
        String(who), role: role.map { String($0) }, rooms: rooms.map { String($0) },
        seconds: seconds.flatMap { Int64($0) } ?? 3_600)
    } else if let who = text.wholeMatch(of: /(\S+) is cut off/)?.1 {
      self = .isCutOff(String(who))
    } else if let match = text.wholeMatch(of: /backend → (GET|POST) (\S+)(?: (.*))?/) {
      self = .calls(method: String(match.1), path: String(match.2), body: match.3.map { String($0) })
    } else if let match = text.wholeMatch(of: /backend ← (\d{3}) (.*)/) {
      self = .isAnswered(status: Int(match.1) ?? 0, String(match.2))
    } else if let match = text.wholeMatch(of: /(\S+) → close (\d{4})/) {
      self = .closes(String(match.1), code: UInt16(match.2) ?? 0)
    } else if let match = text.wholeMatch(of: /(\S+) ← close (\d{4}) ?(.*)/) {
      self = .isClosed(String(match.1), code: Int(match.2) ?? 0, reason: String(match.3))
    } else if let match = text.wholeMatch(of: /(\S+) → (.*)/) {
      self = .says(String(match.1), String(match.2))
    } else if let match = text.wholeMatch(of: /(\S+) ← (.*)/) {
      self = .hears(String(match.1), String(match.2))
    } else {
      return nil
    }
  }
}
