public import Buffers

/// A client's side of the opening handshake (RFC 6455, section 4.1): for our load generator, command line and tests.
public struct ClientHandshake: Sendable {
  public let key: HandshakeKey
  public let subprotocols: [String]

  /// The server agreed.
  public struct Response: Equatable, Sendable {
    /// The size of the response; frames begin right after it.
    public var byteCount: Int
    /// The one the server chose, nil when it chose none.
    public var subprotocol: String?
  }

  /// Why there is no WebSocket.
  public enum Failure: Error, Equatable, Sendable {
    /// Over 16 KiB and no end.
    case headTooLong
    /// Not an HTTP/1.1 response.
    case malformed
    /// Another status than 101.
    case refused(status: Int)
    /// 101, but `Upgrade` or `Connection` do not say so.
    case notUpgraded
    /// `Sec-WebSocket-Accept` is missing or answers another key.
    case wrongAccept
    /// The server chose an extension although none was offered.
    case unexpectedExtension
    /// The server chose a subprotocol that was not offered.
    case unexpectedSubprotocol
  }

  /// - Parameter subprotocols: Tokens as ``SubprotocolOffer`` takes them.
  public init(key: HandshakeKey, subprotocols: [String] = []) {
    self.key = key
    self.subprotocols = subprotocols
  }

  /// Appends the request.
  ///
  /// - Parameters:
  ///   - host: As in the URL, with a port unless it is the scheme's own.
  ///   - target: Path and query, already percent-encoded.
  ///   - headers: What else to send, such as `Origin` and `Authorization`.
  public func appendRequest(
    host: String, target: String, headers: [(name: String, value: String)] = [], to buffer: inout ByteBuffer
  ) {
    var lines = "GET \(target) HTTP/1.1\r\n"
    func add(_ name: String, _ value: String) {
      precondition((name + value).utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a header field must be one line")
      lines += "\(name): \(value)\r\n"
    }
    precondition(target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "a target is printable ASCII without spaces")
    add("Host", host)
    add("Upgrade", "websocket")
    add("Connection", "Upgrade")
    add("Sec-WebSocket-Version", "13")
    if !subprotocols.isEmpty { add("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", ")) }
    for header in headers { add(header.name, header.value) }
    buffer.append(lines)
    buffer.append("Sec-WebSocket-Key: " as StaticString)
    key.append(to: &buffer)
    buffer.append("\r\n\r\n" as StaticString)
  }

  /// Reads the response at the front of `bytes`; nil when it is not complete.
  public func response(in bytes: borrowing RawSpan) throws(Failure) -> Response? {
    guard let end = Self.headEnd(bytes) else {
      guard bytes.byteCount <= 16 * 1024 else { throw .headTooLong }
      return nil
    }
    let head = String(decoding: (0..<end).map { bytes.byte(at: $0) }, as: UTF8.self)
    var lines = head.split(separator: "\r\n" as Character).map(String.init)[...]
    let status = lines.popFirst()?.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false) ?? []
    guard status.count >= 2, status[0] == "HTTP/1.1", let code = Int(status[1]), (100...599).contains(code) else {
      throw .malformed
    }
    guard code == 101 else { throw .refused(status: code) }
    return Response(byteCount: end, subprotocol: try check(try Self.fields(lines)))
  }

  /// Where the empty line ends.
  private static func headEnd(_ bytes: borrowing RawSpan) -> Int? {
    guard bytes.byteCount >= 4 else { return nil }
    for place in 3..<bytes.byteCount where bytes.byte(at: place) == UInt8(ascii: "\n") {
      if bytes.bigEndian16(at: place - 3) == 0x0D0A && bytes.bigEndian16(at: place - 1) == 0x0D0A { return place + 1 }
    }
    return nil
  }

  /// Names in lower case. A repeated field becomes one list.
  private static func fields(_ lines: ArraySlice<String>) throws(Failure) -> [String: String] {
    var fields: [String: String] = [:]
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { throw .malformed }
      let name = line[..<colon].lowercased()
      let value = trimmed(line[line.index(after: colon)...])
      fields[name] = fields[name].map { "\($0), \(value)" } ?? value
    }
    return fields
  }

  /// The chosen subprotocol, when everything else is as it must be.
  private func check(_ fields: [String: String]) throws(Failure) -> String? {
    let connection = fields["connection", default: ""].lowercased().split(separator: ",").map(Self.trimmed)
    guard fields["upgrade"]?.lowercased() == "websocket", connection.contains("upgrade") else { throw .notUpgraded }
    let accept = fields["sec-websocket-accept", default: ""]
    guard unsafe key.isAnswered(by: accept.utf8Span.span.bytes) else { throw .wrongAccept }
    guard fields["sec-websocket-extensions", default: ""].isEmpty else { throw .unexpectedExtension }
    guard let chosen = fields["sec-websocket-protocol"] else { return nil }
    guard subprotocols.contains(chosen) else { throw .unexpectedSubprotocol }
    return chosen
  }

  private static func trimmed(_ text: Substring) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    guard let first = text.firstIndex(where: { !isSpace($0) }),
      let last = text.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(text[first...last])
  }
}
