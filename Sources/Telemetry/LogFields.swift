/// One value in a log line.
public enum LogValue: Equatable, Sendable {
  case string(String)
  case integer(Int)
  case decimal(Double)
  case bool(Bool)
}

extension LogValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .decimal(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// Names and values of a log line, in order: `["port": 8080, "node": .string(id)]`.
///
/// Names are part of the program, so a peer can only ever be a value.
public struct LogFields: Sendable, ExpressibleByDictionaryLiteral {
  var pairs: [(name: StaticString, value: LogValue)]

  public init(dictionaryLiteral elements: (StaticString, LogValue)...) {
    pairs = elements.map { (name: $0, value: $1) }
  }

  /// Both, in order.
  public static func + (first: Self, second: Self) -> Self {
    var fields = first
    fields.pairs += second.pairs
    return fields
  }
}
