/// Walks through `name=value&name&…` without decoding or copying.
public struct Query: Sendable {
  /// One parameter, still percent-encoded. A parameter without `=` has an empty value.
  public struct Parameter: Equatable, Sendable {
    public let name: Range<Int>
    public let value: Range<Int>
  }

  private var rest: Range<Int>

  /// - Parameter range: what follows the `?`, such as ``RequestHead/query``.
  public init(_ range: Range<Int>) { rest = range }

  /// The next parameter; empty ones (`&&`) are passed over.
  public mutating func next(in bytes: borrowing RawSpan) -> Parameter? {
    while !rest.isEmpty {
      let end = bytes.firstIndex(of: UInt8(ascii: "&"), in: rest) ?? rest.upperBound
      let parameter = rest.lowerBound..<end
      rest = min(end + 1, rest.upperBound)..<rest.upperBound
      guard !parameter.isEmpty else { continue }
      let equals = bytes.firstIndex(of: UInt8(ascii: "="), in: parameter) ?? end
      return Parameter(name: parameter.lowerBound..<equals, value: min(equals + 1, end)..<end)
    }
    return nil
  }
}

/// What is wrong with a query, to be answered with 400.
public enum QueryError: Error, Equatable, Sendable {
  /// A `%` without two hexadecimal digits, or an encoded control character.
  case malformed
  /// A parameter that may stand once stands twice.
  case repeated
}

extension RequestHead {
  /// The decoded value of the parameter `name`; nil when there is none.
  ///
  /// Names are compared decoded, so that `%74oken` cannot be a second `token` that nobody sees.
  public func queryValue(
    _ name: StaticString, in bytes: borrowing RawSpan
  ) throws(QueryError) -> [UInt8]? {
    guard let query else { return nil }
    var parameters = Query(query)
    var value: Range<Int>?
    while let parameter = parameters.next(in: bytes) {
      guard try isName(name, parameter.name, in: bytes) else { continue }
      guard value == nil else { throw .repeated }
      value = parameter.value
    }
    guard let value else { return nil }
    return try percentDecoded(value, in: bytes, plusIsSpace: true)
  }

  /// The target as it may be logged: the values of parameters called `token` are `***`, and so is everything that
  /// is encoded so badly that it cannot be compared.
  public func redactedTarget(in bytes: borrowing RawSpan) -> String {
    var target = text(path, in: bytes)
    guard let query else { return target }
    var parameters = Query(query)
    var separator = "?"
    while let parameter = parameters.next(in: bytes) {
      let isSecret = (try? isName("token", parameter.name, in: bytes)) ?? true
      target += separator + text(parameter.name, in: bytes)
      if isSecret || !parameter.value.isEmpty { target += "=" }
      target += isSecret ? "***" : text(parameter.value, in: bytes)
      separator = "&"
    }
    return target
  }

  private func isName(
    _ name: StaticString, _ range: Range<Int>, in bytes: borrowing RawSpan
  ) throws(QueryError) -> Bool {
    let decoded = try percentDecoded(range, in: bytes, plusIsSpace: true)
    guard decoded.count == name.utf8CodeUnitCount else { return false }
    for index in 0..<decoded.count where decoded[index] != (unsafe name.utf8Start[index]) { return false }
    return true
  }
}

/// The bytes in `range` with `%XX` resolved (RFC 3986 section 2.1), strictly.
///
/// - Parameter plusIsSpace: whether `+` means a space: in queries as browsers write them, not in paths.
public func percentDecoded(
  _ range: Range<Int>, in bytes: borrowing RawSpan, plusIsSpace: Bool
) throws(QueryError) -> [UInt8] {
  var decoded: [UInt8] = []
  decoded.reserveCapacity(range.count)
  var index = range.lowerBound
  while index < range.upperBound {
    let byte = bytes.byte(index)
    if byte == UInt8(ascii: "%") {
      guard
        index + 2 < range.upperBound,
        let high = ASCII.hexadecimal(bytes.byte(index + 1)), let low = ASCII.hexadecimal(bytes.byte(index + 2)),
        !ASCII.isControl(high << 4 | low)
      else { throw .malformed }
      decoded.append(high << 4 | low)
      index += 3
    } else {
      decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? ASCII.space : byte)
      index += 1
    }
  }
  return decoded
}
