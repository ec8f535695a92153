public import Buffers

extension Response {
  /// Appends the 101 that turns the connection into a WebSocket (RFC 6455 section 4.2.2).
  ///
  /// - Parameters:
  ///   - accept: the value of `Sec-WebSocket-Accept`.
  ///   - subprotocol: where in `request` the chosen subprotocol stands, so that it is answered exactly as offered;
  ///     nil when none was offered.
  ///   - extensions: the value of `Sec-WebSocket-Extensions`, empty for none.
  public static func writeSwitchingProtocols(
    accept: borrowing RawSpan, subprotocol: Range<Int>?, of request: borrowing RawSpan, extensions: String = "",
    to out: inout ByteBuffer
  ) {
    out.append("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    out.append("Sec-WebSocket-Accept: ")
    out.append(accept)
    if let subprotocol {
      out.append("\r\nSec-WebSocket-Protocol: ")
      out.append(request.extracting(subprotocol))
    }
    if !extensions.isEmpty {
      out.append("\r\nSec-WebSocket-Extensions: ")
      out.append(extensions)
    }
    out.append("\r\n\r\n")
  }

  /// Appends the interim answer to `Expect: 100-continue` (RFC 9110 section 10.1.1).
  public static func writeContinue(to out: inout ByteBuffer) { out.append("HTTP/1.1 100 Continue\r\n\r\n") }
}
