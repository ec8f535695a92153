import Buffers
import HTTPCore

/// Requests as they come from a socket.
///
/// - A head is the same however the network cut it, and so is what is wrong with it.
/// - What was accepted is what somebody sees who only splits lines at CR LF and names at the first colon.
/// - Written out again, it is accepted again and means the same.
/// - A logged target shows no token.
enum HTTPFuzz {
  private enum Outcome: Equatable {
    case incomplete
    case head(RequestHead)
    case refused(RequestError)
  }

  static func run(_ bytes: [UInt8]) throws(Finding) {
    let whole = outcome(bytes, ends: [bytes.count])
    for ends in Pieces.ways(bytes) {
      let pieces = outcome(bytes, ends: ends)
      try demand(pieces == whole, "whole: \(whole), in pieces: \(pieces)")
    }
    try checkResponse(bytes)
    guard case .head(let head) = whole else { return }
    let seen = RequestMeaning(head, bytes)
    try demand(seen == RequestMeaning(splitting: bytes, byteCount: head.byteCount), "lines are read differently")
    try checkRewritten(seen)
    try checkRedaction(head, bytes)
    #if DEBUG || FUZZING
      try HandshakeFuzz.run(head, bytes)
    #endif
  }

  private static func outcome(_ bytes: [UInt8], ends: [Int]) -> Outcome {
    var parser = RequestParser()
    for end in ends {
      do throws(RequestError) {
        if let head = try unsafe parser.parse(bytes.span.bytes.extracting(0..<end), limits: HTTPLimits()) {
          return .head(head)
        }
      } catch {
        return .refused(error)
      }
    }
    return .incomplete
  }

  private static func checkRewritten(_ seen: RequestMeaning) throws(Finding) {
    let text = seen.request
    guard case .head(let head) = outcome(text, ends: [text.count]) else {
      throw Finding(description: "refused when written out again: \(String(decoding: text, as: UTF8.self))")
    }
    try demand(head.byteCount == text.count, "ends elsewhere when written out again")
    try demand(RequestMeaning(head, text) == seen, "means something else when written out again")
  }

  private static func checkRedaction(_ head: RequestHead, _ bytes: [UInt8]) throws(Finding) {
    let target = unsafe head.redactedTarget(in: bytes.span.bytes)
    let request = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    guard case .head(let logged) = outcome(request, ends: [request.count]) else { return }
    guard let range = logged.query else { return }
    var query = Query(range)
    while let parameter = unsafe query.next(in: request.span.bytes) {
      let name = unsafe try? percentDecoded(parameter.name, in: request.span.bytes, plusIsSpace: true)
      guard name == Array("token".utf8) else { continue }
      try demand(request[parameter.value].elementsEqual("***".utf8), "a token in the log: \(target)")
    }
  }

  /// Our own clients read what a server sends.
  private static func checkResponse(_ bytes: [UInt8]) throws(Finding) {
    let whole = response(bytes, ends: [bytes.count])
    for ends in Pieces.ways(bytes) {
      try demand(response(bytes, ends: ends) == whole, "a response depends on how it is cut")
    }
  }

  /// Inner nil: not complete. Outer nil: refused.
  private static func response(_ bytes: [UInt8], ends: [Int]) -> ResponseHead?? {
    var parser = ResponseParser()
    for end in ends {
      do {
        if let head = try unsafe parser.parse(bytes.span.bytes.extracting(0..<end)) { return head }
      } catch {
        return nil
      }
    }
    return .some(nil)
  }
}

/// What a request says, free of where it stands.
struct RequestMeaning: Equatable {
  struct Field: Equatable {
    let name: [UInt8]
    let value: [UInt8]
  }

  private let method: [UInt8]
  private let target: [UInt8]
  private let fields: [Field]

  init(_ head: RequestHead, _ bytes: [UInt8]) {
    method = Array(bytes.prefix { $0 != UInt8(ascii: " ") })
    target = Array(bytes[head.path.lowerBound..<(head.query ?? head.path).upperBound])
    fields = (0..<head.fields.count).map { index in
      Field(name: Array(bytes[head.fields.name(at: index)]), value: Array(bytes[head.fields.value(at: index)]))
    }
  }

  /// As somebody reads it who knows nothing but lines, spaces and colons.
  init(splitting bytes: [UInt8], byteCount: Int) {
    let text = bytes[..<(byteCount - 4)]
    var lines: [ArraySlice<UInt8>] = []
    var start = text.startIndex
    for index in text.indices.dropLast()
    where text[index] == UInt8(ascii: "\r") && text[index + 1] == UInt8(ascii: "\n") {
      lines.append(text[start..<index])
      start = index + 2
    }
    lines.append(text[start...])
    let words = lines[0].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    (method, target) = (Array(words[0]), words.count == 3 ? Array(words[1]) : [])
    fields = lines.dropFirst().map { line in
      let name = line.prefix { $0 != UInt8(ascii: ":") }
      func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
      let value = line.dropFirst(name.count + 1).drop(while: isBlank).reversed().drop(while: isBlank).reversed()
      return Field(name: Array(name), value: Array(value))
    }
  }

  /// The shortest request that says this.
  var request: [UInt8] {
    var text = method + Array(" ".utf8) + target + Array(" HTTP/1.1\r\n".utf8)
    for field in fields { text += field.name + Array(":".utf8) + field.value + Array("\r\n".utf8) }
    return text + Array("\r\n".utf8)
  }
}
