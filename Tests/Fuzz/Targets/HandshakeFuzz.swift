#if DEBUG || FUZZING
  import Buffers
  import HTTPCore
  import WebSocketCore

  @testable import RoostServer

  /// What the server makes of a request that was read: origin, token, upgrade.
  ///
  /// - The token is one that stands in the request, and no two places disagreed.
  /// - The 101 is one response, with nothing behind it: no value of the client's ends a line.
  enum HandshakeFuzz {
    static func run(_ head: RequestHead, _ bytes: [UInt8]) throws(Finding) {
      for origins in [ServerConfiguration.Origins.sameOrigin, .listed(["https://a.example"])] {
        do { try unsafe origins.check(head, in: bytes.span.bytes) } catch {}
      }
      let token = unsafe try? BearerToken(head, in: bytes.span.bytes)
      if let token { try check(token, head, bytes) }
      guard let upgrade = unsafe try? Upgrade(head, in: bytes.span.bytes, compresses: true) else { return }
      let response = upgrade.response(subprotocol: token?.subprotocol)
      var parser = ResponseParser()
      let answer = unsafe (try? parser.parse(response.span.bytes)) ?? nil
      try demand(answer?.status == 101 && answer?.byteCount == response.count, "the 101 is not one response")
      let lines = 3 + (token?.subprotocol == nil ? 0 : 1) + (upgrade.compression == nil ? 0 : 1)
      try demand(answer?.fields.count == lines, "the 101 has lines that are not ours")
    }

    private static func check(_ token: BearerToken, _ head: RequestHead, _ bytes: [UInt8]) throws(Finding) {
      let offers = (0..<head.fields.count).filter { index in
        String(decoding: bytes[head.fields.name(at: index)], as: UTF8.self).lowercased() == "sec-websocket-protocol"
      }
      let offered = offers.map { String(decoding: bytes[head.fields.value(at: $0)], as: UTF8.self) }
      if let chosen = token.subprotocol {
        let names = offered.joined(separator: ",").split(separator: ",").map { name in
          name.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        }
        try demand(names.contains { String($0) == chosen }, "answers \(chosen), which was not offered")
      }
      if let value = unsafe try? head.queryValue("token", in: bytes.span.bytes) {
        try demand(value == token.bytes, "the query's token was passed over")
      }
      if let range = unsafe head.bearerToken(in: bytes.span.bytes) {
        try demand(Array(bytes[range]) == token.bytes, "the header's token was passed over")
      }
    }
  }
#endif
