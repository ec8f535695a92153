extension Response {
  /// `{"error": message}` with `status`.
  public static func error(_ status: Status, _ message: String, keepAlive: Bool = false) -> Response {
    var body = Array(#"{"error":"#.utf8)
    appendJSONString(message, to: &body)
    body.append(UInt8(ascii: "}"))
    return Response(status, contentType: .json, body: body, keepAlive: keepAlive)
  }

  /// The answer to a request that could not be read. Nothing after it can be, so it closes.
  public static func refusal(_ error: RequestError) -> Response {
    .error(Status(error), "\(Status(error).reason)".lowercased())
  }

  /// 426: this path speaks WebSocket, version 13 (RFC 6455 section 4.4).
  public static func upgradeRequired() -> Response {
    var response = error(.upgradeRequired, "websocket upgrade required")
    response.add("Upgrade", "websocket")
    response.add("Sec-WebSocket-Version", "13")
    return response
  }

  /// 405: `allow` is what the path takes, such as `GET`.
  public static func methodNotAllowed(allow: String, keepAlive: Bool = false) -> Response {
    var response = error(.methodNotAllowed, "method not allowed", keepAlive: keepAlive)
    response.add("Allow", allow)
    return response
  }

  /// 401: one text for no token, a bad one and an expired one, so that nobody learns which it was.
  public static func authenticationRequired(keepAlive: Bool = false) -> Response {
    var response = error(.unauthorized, "authentication required", keepAlive: keepAlive)
    response.add("WWW-Authenticate", #"Bearer error="invalid_token""#)
    return response
  }

  /// 408: the request did not come in time.
  public static func requestTimeout() -> Response { error(.requestTimeout, "request timeout") }

  /// 429: come back after so many seconds.
  public static func tooManyRequests(retryAfter seconds: Int, keepAlive: Bool = false) -> Response {
    var response = error(.tooManyRequests, "too many requests", keepAlive: keepAlive)
    response.add("Retry-After", "\(seconds)")
    return response
  }

  /// 503: full or draining; come back after so many seconds (to be jittered by the caller).
  public static func unavailable(_ message: String, retryAfter seconds: Int, keepAlive: Bool = false) -> Response {
    var response = error(.serviceUnavailable, message, keepAlive: keepAlive)
    response.add("Retry-After", "\(seconds)")
    return response
  }

  private static func appendJSONString(_ text: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
      case 0..<0x20:
        let digits = Array("0123456789abcdef".utf8)
        out += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }
}
