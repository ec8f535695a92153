import Buffers
import RealtimeCore
import Synchronization
import Telemetry
import Tokens
import WebSocketCore

// A connection lives no longer than its token. The client is told half a minute before; a new token of the same user
// makes it live longer, and may grant something else.
//
//     refresh_token ─► bucket ─► signature (here) ─► same user? revoked? (hub) ─► rights, rooms, timer, ack (here)
//
// A token's end is a moment of the wall clock, timers go by a clock that is never set. Every look at a connection
// reckons anew; when the two clocks have moved against each other, all connections are looked at.
extension ShardCore {
  /// How long before a token's end its client is told, in milliseconds.
  private static let expiryNotice: Int64 = 30_000
  /// Milliseconds by which the clocks may drift before everybody is looked at.
  private static let tolerance: Int64 = 1_000

  /// What a token grants, if it is good: the one place where tokens are checked.
  func grant(of token: [UInt8]) throws(TokenError) -> TokenGrant {
    context.tokenChecks.add(1, ordering: .relaxed)
    let claims = try context.keys.verifier.verify(token, now: now.wall / 1_000)
    guard let grant = TokenGrant(claims, defaults: rules.defaultRooms) else { throw .badClaims }
    return grant
  }

  // MARK: Time

  /// Does what the token's time asks for, and says when to look again, in milliseconds of the loop's clock.
  mutating func checkToken(_ slot: UInt32) -> Int64 {
    let end = connections[slot].tokenEnd
    guard end != .max else { return .max }
    guard now.wall < end else {
      close(slot, .tokenExpired)
      return .max
    }
    var next = end
    if !connections[slot].hasToldExpiry {
      next = end - Self.expiryNotice
      if next <= now.wall {
        connections[slot].hasToldExpiry = true
        let expiry = Timestamp(milliseconds: end)
        reply(slot) { ServerMessage.appendTokenExpiring(at: expiry, to: &$0) }
        next = end
      }
    }
    return now.monotonic + (next - now.wall)
  }

  /// Looks at everybody whose token ends when one of the clocks was set.
  mutating func watchClocks() {
    let difference = now.wall - now.monotonic
    guard abs(difference - clockDifference) > Self.tolerance else { return }
    clockDifference = difference
    for slot in 0..<UInt32(connections.slotCount) where connections.isInUse(slot) {
      if connections[slot].phase == .open, connections[slot].tokenEnd != .max { arm(slot, at: now.monotonic) }
    }
  }

  // MARK: New tokens

  /// The client gives a new token.
  mutating func refreshToken(_ slot: UInt32, _ token: Range<Int>, id messageID: Range<Int>?, _ bytes: RawSpan) {
    // The last word counts: one that still waits would come after this one.
    if let earlier = parkedOffers.removeValue(forKey: slot) {
      refuseToken(slot, earlier.messageID, isOffence: false)
    }
    let offer = OfferedToken(
      token: JSONString(contents: token, in: bytes).decoded(in: bytes), messageID: bytes.array(messageID))
    let version = context.keys.version
    do throws(TokenError) {
      try take(offer, slot)
    } catch {
      if !parks(offer, slot, error, judgedBy: version) { refuse(offer, slot, error) }
    }
  }

  /// Asks the hub about the token, if it is good by itself.
  mutating func take(_ offer: OfferedToken, _ slot: UInt32) throws(TokenError) {
    hubCommands.append(.refresh(id(slot), try grant(of: offer.token), id: offer.messageID))
  }

  /// The token is not good. One that nobody can judge, for lack of keys, is no offence.
  mutating func refuse(_ offer: OfferedToken, _ slot: UInt32, _ reason: TokenError) {
    context.keys.refusals.count(reason)
    refuseToken(slot, offer.messageID, isOffence: reason != .missingKeys)
  }

  /// The hub decided about a new token.
  mutating func refreshed(_ id: ConnectionID, _ grant: TokenGrant, isGood: Bool, messageID: [UInt8]) {
    guard isOpen(id) else { return }
    guard isGood else { return refuseToken(id.slot, messageID) }
    connections[id.slot].renew(grant)
    let left = leaveClosedRooms(id.slot)
    let expiry = grant.end == .max ? nil : Timestamp(milliseconds: grant.end)
    reply(id.slot) {
      ServerMessage.appendAck(expiry: expiry, left: left, id: unsafe messageID.span.bytes, to: &$0)
    }
    let due = checkToken(id.slot)
    if due != .max { arm(id.slot, at: due) }
  }

  /// Leaves the rooms that the token does not open, as if their client had said so.
  private mutating func leaveClosedRooms(_ slot: UInt32) -> [RoomName] {
    var left: [RoomName] = []
    for entry in connections[slot].rooms.indices {
      let name = rooms.name(of: connections[slot].rooms[entry].room)
      connections[slot].rooms[entry].maySend = connections[slot].session.maySend(to: name)
      guard connections[slot].rooms[entry].isWanted, !connections[slot].session.mayJoin(name) else { continue }
      connections[slot].rooms[entry].isWanted = false
      connections[slot].rooms[entry].leaving &+= 1
      left.append(name)
      hubCommands.append(.leave(id(slot), name, id: []))
    }
    return left
  }

  /// One answer for all causes. The connection goes on until its old token's end, unless that happens on and on.
  private mutating func refuseToken(_ slot: UInt32, _ messageID: [UInt8], isOffence: Bool = true) {
    counters.mistakes &+= 1
    reply(slot) { ServerMessage.appendError(.forbidden, id: unsafe messageID.span.bytes, to: &$0) }
    if isOffence, connections[slot].session.offends(second: second) { close(slot, .badTokens) }
  }
}

extension TokenGrant {
  /// `nil` when the claims name no user.
  convenience init?(_ claims: Claims, defaults: RoomGrants) {
    let isAdmin = claims.role == "admin"
    guard let identity = Identity(user: claims.userID, name: claims.name, isAdmin: isAdmin) else { return nil }
    self.init(
      identity: identity, stamp: TokenStamp(id: claims.tokenID, issuedAt: claims.issuedAt),
      mayJoin: claims.rooms.join ?? defaults.join, maySend: claims.rooms.send ?? defaults.send,
      end: claims.expiresAt.map { $0 * 1_000 } ?? .max)
  }
}

extension Connection {
  /// The token's rights and end are the connection's from now on.
  mutating func renew(_ grant: TokenGrant) {
    session.renew(isAdmin: grant.identity.isAdmin, mayJoin: grant.mayJoin, maySend: grant.maySend)
    (tokenEnd, hasToldExpiry) = (grant.end, false)
  }
}
