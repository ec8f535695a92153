import HTTPCore
import RealtimeCore

/// What a caller wrote into a JSON object: where each member's value stands. Read with the scanner of clients'
/// messages, so that what gets through here is JSON for everybody behind.
///
/// A member that nobody knows is refused, and so is one that stands twice: a misspelt one would be taken for absent.
struct CallBody {
  private let bytes: [UInt8]
  private let members: [String: Range<Int>]

  init(_ bytes: [UInt8], _ known: Set<String>) throws(CallRefused) {
    guard let members = Self.members(bytes) else { throw .bad("the body is not one JSON object") }
    guard known.isSuperset(of: members.keys) else { throw .bad("the body has a member that is not known") }
    (self.bytes, self.members) = (bytes, members)
  }

  /// Whether the member is there and not `null`.
  func has(_ name: String) -> Bool { members[name].map { bytes[$0].first != UInt8(ascii: "n") } ?? false }

  /// The member's JSON, which may be any value.
  func value(_ name: String) -> [UInt8]? { members[name].map { Array(bytes[$0]) } }

  /// A string of so many UTF-8 bytes; `nil` when it is absent.
  func text(_ name: String, _ length: ClosedRange<Int>) throws(CallRefused) -> String? {
    guard has(name), let value = members[name] else { return nil }
    let span = unsafe bytes.span.bytes
    guard let string = JSONString(value: value, in: span) else { throw .bad("\(name) is a string") }
    let text = string.text(in: span)
    guard length.contains(text.utf8.count) else {
      throw .bad("\(name) has \(length.lowerBound) to \(length.upperBound) bytes")
    }
    return text
  }

  /// A whole number; `nil` when it is absent.
  func integer(_ name: String, _ what: String) throws(CallRefused) -> Int64? {
    guard has(name), let value = members[name] else { return nil }
    guard let number = Int64(String(decoding: bytes[value], as: UTF8.self)) else { throw .bad("\(name) is \(what)") }
    return number
  }

  /// An object with these members; `nil` when it is absent.
  func object(_ name: String, _ known: Set<String>) throws(CallRefused) -> CallBody? {
    guard has(name), let value = value(name) else { return nil }
    guard value.first == UInt8(ascii: "{") else { throw .bad("\(name) is an object") }
    return try CallBody(value, known)
  }

  private static func members(_ bytes: [UInt8]) -> [String: Range<Int>]? {
    let span = unsafe bytes.span.bytes
    var scanner = JSONScanner()
    var members: [String: Range<Int>] = [:]
    do throws(JSONProblem) {
      scanner.skipSpace(span)
      var next = try scanner.enterObject(span)
      while let key = next {
        let value = try scanner.value(span)
        guard members.updateValue(value, forKey: key.text(in: span)) == nil else { return nil }
        next = try scanner.nextKey(span)
      }
      try scanner.finish(span)
    } catch {
      return nil
    }
    return members
  }
}
