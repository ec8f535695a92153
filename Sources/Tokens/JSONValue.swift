/// A JSON value as claims and key sets need it: small, strict, one meaning per text (RFC 8259).
public enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  /// The number as written, checked for syntax only: user ids must not be rounded.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  public var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }
}

/// The members of an object, in order, each name once.
public struct JSONObject: Equatable, Sendable {
  private struct Member: Equatable, Sendable {
    let name: String
    let value: JSONValue
  }

  private var members: [Member] = []

  init() {}

  /// The object that `text` is: nothing before or after it but blanks, no name twice, at most 64 members and 8 levels;
  /// `nil` for anything else.
  public init?(_ text: [UInt8]) {
    guard let object = JSONParser.object(text) else { return nil }
    self = object
  }

  public var names: [String] { members.map(\.name) }

  /// The member's value; nil when it is absent or `null`.
  public subscript(name: String) -> JSONValue? {
    guard let member = members.first(where: { $0.name == name }), member.value != .null else { return nil }
    return member.value
  }

  var count: Int { members.count }

  public func has(_ name: String) -> Bool { members.contains { $0.name == name } }

  /// False when the name is taken.
  mutating func add(_ name: String, _ value: JSONValue) -> Bool {
    guard !has(name) else { return false }
    members.append(Member(name: name, value: value))
    return true
  }
}
