/// One thing an operator can set: its flag, its environment variable, its help and its place in the configuration
/// all come from here.
public struct Setting: Sendable {
  /// As a flag without the dashes: `redis-url`.
  public let name: String
  /// What it means, and what happens at the limit, in one line.
  public let meaning: String
  /// What may be written: `1...100 seconds`, `text | json`.
  public let form: String
  /// Switches may be given without a value: `--echo`.
  public let isSwitch: Bool
  private let reading: @Sendable (ServerConfiguration) -> String
  private let writing: @Sendable (Substring, inout ServerConfiguration) -> Bool

  /// - Parameter write: Parses and stores a value; false when it is none.
  init(
    _ name: String, _ meaning: String, form: String, isSwitch: Bool = false,
    read: @escaping @Sendable (ServerConfiguration) -> String,
    write: @escaping @Sendable (Substring, inout ServerConfiguration) -> Bool
  ) {
    (self.name, self.meaning, self.form, self.isSwitch) = (name, meaning, form, isSwitch)
    (reading, writing) = (read, write)
  }

  /// `ROOST_REDIS_URL`
  public var variable: String { "ROOST_" + String(name.uppercased().map { $0 == "-" ? "_" : $0 }) }

  /// The value in a form that ``store(_:in:)`` reads back.
  public func value(in configuration: ServerConfiguration) -> String { reading(configuration) }

  /// The value as it may be shown to anybody: passwords are `***`.
  public func shownValue(in configuration: ServerConfiguration) -> String { redacted(value(in: configuration)) }

  /// Stores a value; what is wrong with it otherwise.
  func store(_ text: String, in configuration: inout ServerConfiguration) -> String? {
    writing(Substring(text), &configuration) ? nil : "\"\(redacted(text))\" is not \(form)"
  }

  /// Whether `text` holds a password, which has no place on a command line.
  func holdsPassword(_ text: String) -> Bool { isURL && CredentialURL.holdsPassword(text) }

  private var isURL: Bool { name.hasSuffix("-url") }

  private func redacted(_ text: String) -> String { isURL ? CredentialURL.hidden(text) : text }
}

// The kinds of value.
extension Setting {
  typealias Place<Value> = any WritableKeyPath<ServerConfiguration, Value> & Sendable

  static func text(_ name: String, _ meaning: String, form: String = "text", _ place: Place<String>) -> Setting {
    Setting(name, meaning, form: form) {
      $0[keyPath: place]
    } write: {
      $1[keyPath: place] = String($0)
      return true
    }
  }

  static func choice(_ name: String, _ meaning: String, of words: [String], _ place: Place<String>) -> Setting {
    Setting(name, meaning, form: words.joined(separator: " | ")) {
      $0[keyPath: place]
    } write: { text, configuration in
      configuration[keyPath: place] = String(text)
      return words.contains(String(text))
    }
  }

  static func whether(_ name: String, _ meaning: String, _ place: Place<Bool>) -> Setting {
    Setting(name, meaning, form: "true | false", isSwitch: true) {
      "\($0[keyPath: place])"
    } write: { text, configuration in
      switch text.lowercased() {
      case "true", "yes", "on", "1": configuration[keyPath: place] = true
      case "false", "no", "off", "0": configuration[keyPath: place] = false
      default: return false
      }
      return true
    }
  }

  static func number(
    _ name: String, _ meaning: String, _ range: ClosedRange<Int>, _ unit: String, _ place: Place<Int>
  ) -> Setting {
    Setting(name, meaning, form: "\(range.lowerBound)...\(range.upperBound) \(unit)") {
      "\($0[keyPath: place])"
    } write: { text, configuration in
      guard let number = Int(text), range.contains(number) else { return false }
      configuration[keyPath: place] = number
      return true
    }
  }

  static func decimal(
    _ name: String, _ meaning: String, _ range: ClosedRange<Double>, _ unit: String, _ place: Place<Double>
  ) -> Setting {
    Setting(name, meaning, form: "\(range.lowerBound)...\(range.upperBound) \(unit)") {
      "\($0[keyPath: place])"
    } write: { text, configuration in
      guard let number = Double(text), range.contains(number) else { return false }
      configuration[keyPath: place] = number
      return true
    }
  }

  /// Bytes, with `k`, `m` or `g` for powers of 1,024.
  static func size(_ name: String, _ meaning: String, _ range: ClosedRange<Int>, _ place: Place<Int>) -> Setting {
    let form = "a size from \(range.lowerBound) to \(shortSize(range.upperBound)) bytes"
    return Setting(name, meaning, form: form) {
      shortSize($0[keyPath: place])
    } write: { text, configuration in
      guard let bytes = bytes(text), range.contains(bytes) else { return false }
      configuration[keyPath: place] = bytes
      return true
    }
  }

  private static let units: [(letter: Character, shift: Int)] = [("g", 30), ("m", 20), ("k", 10)]

  private static func bytes(_ text: Substring) -> Int? {
    guard let last = text.last, let unit = units.first(where: { $0.letter == Character(last.lowercased()) }) else {
      return Int(text)
    }
    guard let number = Int(text.dropLast()) else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << unit.shift)
    return overflow ? nil : bytes
  }

  private static func shortSize(_ bytes: Int) -> String {
    let unit = units.first { bytes != 0 && bytes % (1 << $0.shift) == 0 }
    return unit.map { "\(bytes >> $0.shift)\($0.letter)" } ?? "\(bytes)"
  }
}
