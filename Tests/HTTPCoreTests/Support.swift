import Buffers
import HTTPCore

/// A request that was read, together with its bytes, so that questions need no span.
struct Request: Equatable {
  let bytes: [UInt8]
  let head: RequestHead

  var path: String { text(head.path) }
  var query: String? { head.query.map(text) }
  var redactedTarget: String { unsafe head.redactedTarget(in: bytes.span.bytes) }

  var bearerToken: String? { unsafe head.bearerToken(in: bytes.span.bytes).map(text) }

  func isPath(_ path: StaticString) -> Bool { unsafe head.isPath(path, in: bytes.span.bytes) }

  func value(_ name: StaticString) -> String? {
    unsafe head.fields.value(of: name, in: bytes.span.bytes).map(text)
  }

  func occurrences(_ name: StaticString) -> Int { unsafe head.fields.occurrences(of: name, in: bytes.span.bytes) }

  func list(_ name: StaticString, contains element: StaticString) -> Bool {
    unsafe head.fields.list(of: name, contains: element, in: bytes.span.bytes)
  }

  func list(_ name: StaticString) -> [String] {
    var list = head.fields.list(of: name)
    var elements: [String] = []
    while let element = unsafe list.next(in: bytes.span.bytes) { elements.append(text(element)) }
    return elements
  }

  func queryValue(_ name: StaticString) throws(QueryError) -> String? {
    unsafe try head.queryValue(name, in: bytes.span.bytes).map { String(decoding: $0, as: UTF8.self) }
  }

  private func text(_ range: Range<Int>) -> String { unsafe head.text(range, in: bytes.span.bytes) }
}

/// What came of a parse, to compare one way of cutting the bytes with another.
enum Outcome: Equatable {
  case incomplete
  case head(RequestHead)
  case refused(RequestError)
}

extension RequestParser {
  mutating func parse(_ bytes: [UInt8], limits: HTTPLimits = HTTPLimits()) throws(RequestError) -> RequestHead? {
    unsafe try parse(bytes.span.bytes, limits: limits)
  }
}

extension ResponseParser {
  mutating func parse(_ bytes: [UInt8]) throws(ResponseError) -> ResponseHead? { unsafe try parse(bytes.span.bytes) }
}

/// Parses all of `text` at once.
func parse(_ text: String, limits: HTTPLimits = HTTPLimits()) throws(RequestError) -> Request? {
  var parser = RequestParser()
  let bytes = Array(text.utf8)
  return try parser.parse(bytes, limits: limits).map { Request(bytes: bytes, head: $0) }
}

/// Parses `bytes` as they come in pieces that end at `ends`, and stops at the first answer.
func outcome(_ bytes: [UInt8], ends: some Sequence<Int>) -> Outcome {
  var parser = RequestParser()
  for end in ends {
    do throws(RequestError) {
      if let head = try parser.parse(Array(bytes[..<end])) { return .head(head) }
    } catch {
      return .refused(error)
    }
  }
  return .incomplete
}

func text(_ write: (inout ByteBuffer) -> Void) -> String {
  var buffer = ByteBuffer()
  write(&buffer)
  return String(decoding: buffer.array(), as: UTF8.self)
}
