// What a client wants of a room's past. Only messages that ask for it pay for a second look at their payload.

extension JoinWish {
  /// The most messages that a join may ask for; more are cut to it.
  public static let historyLimit = 100
  /// The longest epoch, in bytes.
  static let epochLimit = 64

  /// Reads `since` and `history` of a payload that is an object, or `nil` for none. `null` counts as not given.
  init(payload: Range<Int>?, in bytes: RawSpan) throws(ClientMistake) {
    self.init()
    guard let payload else { return }
    let fields = try Fields(["since", "history"], of: payload, in: bytes)
    if let value = fields[0] { since = try Position(value, in: bytes) }
    if let value = fields[1] { history = min(try naturalNumber(value, in: bytes), Self.historyLimit) }
  }
}

extension Position {
  /// Reads `{"epoch": string, "offset": integer}`.
  fileprivate init(_ value: Range<Int>, in bytes: RawSpan) throws(ClientMistake) {
    let fields = try Fields(["epoch", "offset"], of: value, in: bytes)
    guard let epoch = fields[0], let offset = fields[1], let string = JSONString(value: epoch, in: bytes),
      string.contents.count <= 6 * JoinWish.epochLimit
    else { throw .invalidPayload }
    let text = string.text(in: bytes)
    guard text.utf8.count <= JoinWish.epochLimit else { throw .invalidPayload }
    self.init(epoch: text, offset: try naturalNumber(offset, in: bytes))
  }
}

/// What a `history` message asks for.
struct HistoryWish {
  /// 1 to 100.
  var limit = 50
  /// Only what has a lower offset.
  var before: Int?

  init(payload: Range<Int>?, in bytes: RawSpan) throws(ClientMistake) {
    guard let payload else { return }
    let fields = try Fields(["limit", "before"], of: payload, in: bytes)
    if let value = fields[0] { limit = min(max(try naturalNumber(value, in: bytes), 1), JoinWish.historyLimit) }
    if let value = fields[1] { before = try naturalNumber(value, in: bytes) }
  }
}

/// The contents of the new token in a `refresh_token` message: a string that is not empty.
func tokenToTake(payload: Range<Int>?, in bytes: RawSpan) throws(ClientMistake) -> Range<Int> {
  guard let payload, let value = try Fields(["token"], of: payload, in: bytes)[0],
    let token = JSONString(value: value, in: bytes), !token.contents.isEmpty
  else { throw .invalidPayload }
  return token.contents
}

/// Values of an object that was scanned before, by the names of their keys.
private struct Fields {
  private var values: [Range<Int>?]

  /// Fails when `value` is no object or has one of the keys twice.
  init(_ names: [StaticString], of value: Range<Int>, in bytes: RawSpan) throws(ClientMistake) {
    values = Array(repeating: nil, count: names.count)
    do {
      var scanner = JSONScanner(at: value.lowerBound)
      var next = try scanner.enterObject(bytes)
      while let key = next {
        let range = try scanner.value(bytes)
        if let index = names.firstIndex(where: { key.matches($0, in: bytes) }) {
          guard values[index] == nil else { throw JSONProblem.malformed }
          values[index] = range
        }
        next = try scanner.nextKey(bytes)
      }
    } catch { throw .invalidPayload }
    for index in values.indices where values[index].map({ bytes.holds("null", at: $0) }) == true { values[index] = nil }
  }

  subscript(index: Int) -> Range<Int>? { values[index] }
}

private func naturalNumber(_ value: Range<Int>, in bytes: RawSpan) throws(ClientMistake) -> Int {
  guard let number = JSONNumber.integer(bytes, value), number >= 0 else { throw .invalidPayload }
  return number
}
