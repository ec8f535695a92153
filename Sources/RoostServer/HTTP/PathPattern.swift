import HTTPCore

/// A path with places for names: `/api/users/{id}/disconnect`.
struct PathPattern: Sendable {
  enum Match: Equatable {
    /// With what stands in the places, decoded, in order.
    case path([String])
    /// It is this path, but what stands in a place is no text: a bad `%`, a control character, no UTF-8, or nothing.
    case badName
    case another
  }

  /// Names are at most this long, in UTF-8 bytes: user ids and rooms.
  static let longestName = 128

  /// Parts between slashes; `nil` for a place.
  private let parts: [[UInt8]?]

  init(_ text: String) {
    parts = Self.split(Array(text.utf8)).map { $0.first == UInt8(ascii: "{") ? nil : Array($0) }
  }

  /// Fixed parts are compared as they are sent: nobody has a reason to write `/%61pi`.
  func match(_ path: [UInt8]) -> Match {
    let given = Self.split(path)
    guard given.count == parts.count else { return .another }
    for (part, given) in zip(parts, given) where part.map({ given.elementsEqual($0) }) == false { return .another }
    var names: [String] = []
    for (part, given) in zip(parts, given) where part == nil {
      guard let name = Self.name(Array(given)) else { return .badName }
      names.append(name)
    }
    return .path(names)
  }

  private static func split(_ path: [UInt8]) -> [ArraySlice<UInt8>] {
    // One more than the longest pattern has is enough to see that a path is another.
    path.split(separator: UInt8(ascii: "/"), maxSplits: 8, omittingEmptySubsequences: false)
  }

  private static func name(_ text: [UInt8]) -> String? {
    guard let bytes = unsafe try? percentDecoded(0..<text.count, in: text.span.bytes, plusIsSpace: false),
      (1...longestName).contains(bytes.count)
    else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }
}
