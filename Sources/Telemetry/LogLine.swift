/// How log lines look.
public enum LogFormat: String, CaseIterable, Sendable {
  /// `2026-11-21T03:50:00.123Z info node started port=8080`
  case text
  /// `{"time":"…","level":"info","event":"node started","port":8080}`
  case json
}

/// Writes one event as one line.
///
/// Values may come from anybody. Whatever they hold, they stay one value of one line: what could end a line, move the
/// cursor, or make text run backwards is escaped, and what is long is cut.
struct LogLine {
  /// Longer values are cut, in Unicode scalars: a line has to fit a pipe's atomic write.
  static let valueLimit = 512

  private var text = ""
  private let format: LogFormat

  init(_ format: LogFormat, _ time: WallTime, _ level: LogLevel, _ event: String) {
    self.format = format
    switch format {
    case .text: text = "\(time.text) \(level) \(event)"
    case .json: text = #"{"time":"\#(time.text)","level":"\#(level)","event":\#(Self.quoted(event))"#
    }
  }

  mutating func append(_ fields: LogFields) {
    for (name, value) in fields.pairs {
      switch format {
      case .text: text += " \(name)=\(Self.plain(value))"
      case .json: text += ",\"\(name)\":\(Self.json(value))"
      }
    }
  }

  /// The finished line, with its line end.
  var bytes: [UInt8] { Array((format == .json ? text + "}\n" : text + "\n").utf8) }

  private static func plain(_ value: LogValue) -> String {
    guard case .string(let text) = value else { return json(value) }
    return !text.isEmpty && text.utf8.count <= valueLimit && text.utf8.allSatisfy(isBare) ? text : quoted(text)
  }

  private static func json(_ value: LogValue) -> String {
    switch value {
    case .string(let text): quoted(text)
    case .integer(let number): "\(number)"
    case .decimal(let number): number.isFinite ? "\(number)" : "\"\(number)\""
    case .bool(let flag): "\(flag)"
    }
  }

  /// What needs no quotes: nothing that a reader could take for the end of the value.
  private static func isBare(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "=")
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for (index, scalar) in text.unicodeScalars.enumerated() {
      guard index < valueLimit else {
        quoted += "…"
        break
      }
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case _ where isVisible(scalar): quoted.unicodeScalars.append(scalar)
      default: for unit in UTF16.encode(scalar) ?? .init() { quoted += escape(unit) }
      }
    }
    return quoted + "\""
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    guard !scalar.isASCII else { return scalar.value >= 0x20 && scalar.value != 0x7F }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
    default: true
    }
  }

  private static func escape(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
  }
}
