import Buffers
import RealtimeCore

/// One JSON value as it was written, byte for byte, and what is in it.
///
/// Payloads are passed on as text, so nothing of them is lost: numbers keep their digits, unknown members stay. Small
/// questions are answered here; for more decode ``bytes``.
///
/// ```swift
/// message.payload["content"]?.string
/// try JSONDecoder().decode(Order.self, from: Data(message.payload.bytes))
/// ```
public struct JSONText: Sendable, Hashable, CustomStringConvertible {
  /// UTF-8, without space around it.
  public let bytes: [UInt8]

  /// Deeper nesting is refused; a server's own limit is 32, and it wraps what it got.
  static let depthLimit = 48

  /// `nil` when `bytes` are not one JSON value (RFC 8259), or one that nests deeper than 48.
  public init?(_ bytes: [UInt8]) {
    guard let range = Self.valueRange(in: bytes) else { return nil }
    self.bytes = range == bytes.indices ? bytes : Array(bytes[range])
  }

  public init?(_ text: String) { self.init(Array(text.utf8)) }

  /// What was checked before.
  init(checked bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }

  /// A string as JSON.
  public init(string text: String) { bytes = Array(Self.quoted(text).utf8) }

  /// An object of these members, in order.
  public init(_ members: KeyValuePairs<String, JSONText>) {
    let members = members.map { "\(Self.quoted($0.key)):\($0.value)" }
    bytes = Array("{\(members.joined(separator: ","))}".utf8)
  }

  /// `{"content": text}`: what chats send.
  public init(content text: String) { self.init(["content": JSONText(string: text)]) }

  public var description: String { String(decoding: bytes, as: UTF8.self) }

  // MARK: What is in it

  /// The text of a string; `nil` when it is another kind of value.
  public var string: String? {
    guard bytes.first == UInt8(ascii: "\"") else { return nil }
    return unsafe JSONString(value: bytes.indices, in: bytes.span.bytes).map { unsafe $0.text(in: bytes.span.bytes) }
  }

  /// A whole number that was written as one and fits.
  public var integer: Int? { Int(description) }
  public var number: Double? { bytes.first == UInt8(ascii: "\"") ? nil : Double(description) }

  /// `nil` when it is neither `true` nor `false`.
  public var flag: Bool? {
    switch description {
    case "true": true
    case "false": false
    default: nil
    }
  }

  /// The value of an object's first member with this name; `nil` when there is none, or this is no object.
  public subscript(name: String) -> JSONText? { members.first { $0.name == name }?.value }

  /// An object's members in order; none when it is another kind of value.
  public var members: [(name: String, value: JSONText)] {
    guard bytes.first == UInt8(ascii: "{") else { return [] }
    var scanner = Self.scanner()
    var members: [(name: String, value: JSONText)] = []
    // It was checked when it was made, so nothing is thrown.
    var key = unsafe try? scanner.enterObject(bytes.span.bytes)
    while let name = key {
      guard let range = unsafe try? scanner.value(bytes.span.bytes) else { break }
      members.append((unsafe name.text(in: bytes.span.bytes), JSONText(checked: bytes[range])))
      key = unsafe try? scanner.nextKey(bytes.span.bytes)
    }
    return members
  }

  /// An array's elements; none when it is another kind of value.
  public var elements: [JSONText] {
    guard bytes.first == UInt8(ascii: "[") else { return [] }
    var elements: [JSONText] = []
    var scanner = Self.scanner(at: 1)
    while true {
      unsafe scanner.skipSpace(bytes.span.bytes)
      guard bytes[scanner.index] != UInt8(ascii: "]"), let range = unsafe try? scanner.value(bytes.span.bytes) else {
        return elements
      }
      elements.append(JSONText(checked: bytes[range]))
      unsafe scanner.skipSpace(bytes.span.bytes)
      guard bytes[scanner.index] == UInt8(ascii: ",") else { return elements }
      scanner = Self.scanner(at: scanner.index + 1)
    }
  }

  // MARK: Text

  private static func scanner(at index: Int = 0) -> JSONScanner {
    JSONScanner(at: index, keyLimit: .max, depthLimit: depthLimit)
  }

  private static func valueRange(in bytes: [UInt8]) -> Range<Int>? {
    var scanner = scanner()
    unsafe scanner.skipSpace(bytes.span.bytes)
    guard let range = unsafe try? scanner.value(bytes.span.bytes),
      unsafe (try? scanner.finish(bytes.span.bytes)) != nil
    else { return nil }
    return range
  }

  /// `text` as a JSON string, quotes included.
  static func quoted(_ text: String) -> String {
    var buffer = ByteBuffer()
    buffer.append(jsonString: text)
    return unsafe buffer.bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
