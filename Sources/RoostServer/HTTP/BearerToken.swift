import Buffers
import HTTPCore
import WebSocketCore

/// The token of a handshake, from the three places a client may put it, which must all agree.
struct BearerToken {
  let bytes: [UInt8]
  /// What to answer in `Sec-WebSocket-Protocol`; browsers refuse a server that is silent about their offer.
  let subprotocol: String?

  private static let ownProtocol = "roost.v1"
  private static let prefix = "bearer."

  init(_ head: RequestHead, in bytes: RawSpan) throws(Refused) {
    var found: [UInt8]?
    try Self.note(try Self.inQuery(head, bytes), &found)
    let offer = try Self.offer(head, bytes)
    let offered = Self.tokens(in: offer)
    for token in offered { try Self.note(Array(token.utf8), &found) }
    try Self.note(try Self.inAuthorization(head, bytes), &found)
    guard let found else { throw Refused(.token, .authenticationRequired()) }
    self.bytes = found
    if offer.contains(Self.ownProtocol) {
      subprotocol = Self.ownProtocol
    } else {
      subprotocol = offered == offer ? offer.first : nil
    }
  }

  private static func note(_ token: [UInt8]?, _ found: inout [UInt8]?) throws(Refused) {
    guard let token else { return }
    guard found == nil || found == token else { throw Refused(.tokensDiffer, .error(.badRequest, "tokens differ")) }
    found = token
  }

  private static func inQuery(_ head: RequestHead, _ bytes: RawSpan) throws(Refused) -> [UInt8]? {
    do { return try head.queryValue("token", in: bytes) } catch { throw Refused.malformed }
  }

  private static func inAuthorization(_ head: RequestHead, _ bytes: RawSpan) throws(Refused) -> [UInt8]? {
    let count = head.fields.occurrences(of: "authorization", in: bytes)
    guard count < 2 else { throw Refused.malformed }
    return head.bearerToken(in: bytes).map { head.array($0, in: bytes) }
  }

  private static func offer(_ head: RequestHead, _ bytes: RawSpan) throws(Refused) -> [String] {
    var offer = SubprotocolOffer()
    for index in 0..<head.fields.count
    where head.text(head.fields.name(at: index), in: bytes).lowercased() == "sec-websocket-protocol" {
      do { try offer.add(bytes.extracting(head.fields.value(at: index))) } catch {
        throw Refused.malformed
      }
    }
    return offer.names
  }

  /// `bearer.<token>` among others, or the older form: the token alone. A name with two dots is one; other names
  /// are subprotocols we do not speak. Two of the first form are two tokens, and never alike.
  private static func tokens(in offer: [String]) -> [String] {
    let bearers = offer.filter { $0.hasPrefix(prefix) }
    guard bearers.isEmpty else { return bearers.map { String($0.dropFirst(prefix.count)) } }
    guard offer.count == 1, offer[0].utf8.count(where: { $0 == UInt8(ascii: ".") }) == 2 else { return [] }
    return offer
  }
}
