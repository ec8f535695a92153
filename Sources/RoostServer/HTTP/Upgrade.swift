import Buffers
import HTTPCore
import WebSocketCore

/// A request that asks for a WebSocket as RFC 6455 section 4.2.1 wants it.
struct Upgrade {
  private let key: HandshakeKey
  /// What compression was agreed on; nil for none.
  let compression: DeflateAgreement?

  /// - Parameter compresses: Whether offers to compress are looked at.
  init(_ head: RequestHead, in bytes: RawSpan, compresses: Bool) throws(Refused) {
    guard head.method == .get else { throw Refused(.notUpgrade, .methodNotAllowed(allow: "GET")) }
    let fields = head.fields
    guard
      fields.list(of: "upgrade", contains: "websocket", in: bytes),
      fields.list(of: "connection", contains: "upgrade", in: bytes)
    else { throw Refused(.notUpgrade, .upgradeRequired()) }
    let versions = fields.occurrences(of: "sec-websocket-version", in: bytes)
    guard
      versions == 1, let version = fields.value(of: "sec-websocket-version", in: bytes),
      head.array(version, in: bytes) == Array("13".utf8)
    else { throw versions > 1 ? .malformed : Refused(.notUpgrade, .upgradeRequired()) }
    guard
      fields.occurrences(of: "sec-websocket-key", in: bytes) == 1,
      let range = fields.value(of: "sec-websocket-key", in: bytes),
      let key = HandshakeKey(bytes.extracting(range))
    else { throw Refused.malformed }
    self.key = key
    compression = compresses ? Self.compression(head, in: bytes) : nil
  }

  private static func compression(_ head: RequestHead, in bytes: RawSpan) -> DeflateAgreement? {
    var offer = DeflateOffer()
    for index in 0..<head.fields.count
    where head.text(head.fields.name(at: index), in: bytes).lowercased() == "sec-websocket-extensions" {
      offer.add(bytes.extracting(head.fields.value(at: index)))
    }
    return offer.agreement
  }

  /// The 101. `subprotocol` is what the client offered and we speak.
  func response(subprotocol: String?) -> [UInt8] {
    var accept = ByteBuffer()
    key.appendAccept(to: &accept)
    var response = ByteBuffer()
    let offered = Array((subprotocol ?? "").utf8)
    unsafe Response.writeSwitchingProtocols(
      accept: accept.bytes, subprotocol: subprotocol == nil ? nil : 0..<offered.count, of: offered.span.bytes,
      extensions: compression?.answer ?? "", to: &response)
    return response.array()
  }
}
