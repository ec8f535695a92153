public import Buffers

/// One answer: status, header lines, body. A value to keep and to send as often as needed.
///
/// ``write(to:now:headOnly:)`` adds what every answer has: `Date`, `Content-Length`, `Connection`, `Content-Type`
/// and the security headers.
public struct Response: Equatable, Sendable {
  public var status: Status
  /// What the body is; nil for answers without one.
  public var contentType: ContentType?
  public var body: [UInt8]
  /// False adds `Connection: close`; the caller closes once the answer is out.
  public var keepAlive: Bool
  /// What caches may do with it. Nothing of ours is fit for a cache unless it says so.
  public var cacheControl = "no-store"
  /// Further header lines, each with its CR LF.
  private var lines: [UInt8] = []

  public init(
    _ status: Status, contentType: ContentType? = nil, body: [UInt8] = [], keepAlive: Bool = true
  ) {
    (self.status, self.contentType, self.body, self.keepAlive) = (status, contentType, body, keepAlive)
  }

  /// Adds a header line. A value with a control character would be a line of its own, so it stops the process: check
  /// what comes from a peer first (what ``RequestParser`` let through is checked).
  public mutating func add(_ name: StaticString, _ value: String) {
    precondition(!value.utf8.contains { ASCII.isControl($0) }, "a header value must not end its line")
    name.withUTF8Buffer { unsafe lines.append(contentsOf: $0) }
    lines.append(contentsOf: ": ".utf8)
    lines.append(contentsOf: value.utf8)
    lines.append(contentsOf: "\r\n".utf8)
  }

  /// Appends the answer.
  ///
  /// - Parameter unixSeconds: the time, for `Date` (RFC 9110 section 6.6.1).
  /// - Parameter headOnly: leaves the body out and keeps its length: the answer to HEAD.
  public borrowing func write(to out: inout ByteBuffer, now unixSeconds: Int64, headOnly: Bool = false) {
    out.reserve(320 + lines.count + body.count)
    out.append("HTTP/1.1 ")
    out.append(decimal: UInt(status.rawValue))
    out.append(UInt8(ascii: " "))
    out.append(status.reason)
    out.append("\r\nDate: ")
    out.append(httpDate: unixSeconds)
    if let contentType {
      out.append("\r\nContent-Type: ")
      out.append(contentType.text)
    }
    if status.allowsBody {
      out.append("\r\nContent-Length: ")
      out.append(decimal: body.count)
    }
    out.append("\r\nCache-Control: ")
    out.append(cacheControl)
    out.append("\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n")
    out.append(lines)
    writeConnection(to: &out)
    out.append("\r\n")
    if status.allowsBody, !headOnly { out.append(body) }
  }

  /// `Upgrade` is valid only together with its connection option (RFC 9110 section 7.8).
  private borrowing func writeConnection(to out: inout ByteBuffer) {
    switch (status, keepAlive) {
    case (.upgradeRequired, true): out.append("Connection: upgrade\r\n")
    case (.upgradeRequired, false): out.append("Connection: upgrade, close\r\n")
    case (_, true): break
    case (_, false): out.append("Connection: close\r\n")
    }
  }
}

/// What a body is.
public enum ContentType: Equatable, Sendable {
  case json, html, javaScript, css, svg, plain
  /// Prometheus' text format.
  case metrics

  var text: StaticString {
    switch self {
    case .json: "application/json"
    case .html: "text/html; charset=utf-8"
    case .javaScript: "text/javascript; charset=utf-8"
    case .css: "text/css; charset=utf-8"
    case .svg: "image/svg+xml"
    case .plain: "text/plain; charset=utf-8"
    case .metrics: "text/plain; version=0.0.4; charset=utf-8"
    }
  }
}
