import Buffers

// Revocations
//
//     backend ── revoke ──► table ──► connections closed with 4501
//                             │ ▲
//              unannounced ── ▼ │ ── slices, in the order the relay learnt them
//                            relay ── "there is more" ──► all nodes
//
// The relay stores them and tells every node that there is something new; each reads from where it stood. So there is
// one way to learn, whether a node was told, missed the telling, has just begun or comes back. It reads anew after
// every subscription, and every ten seconds, which also tells how old its copy is.
//
// A relay that lost its memory (a new generation, or fewer entries than were known) is told again: after a node has
// read what is there to the end, it announces what it knows and did not find. What anybody still knows comes back.

/// The node's copy of the revocations, and how it stands to the relay's.
struct Revocations {
  static let readInterval: Int64 = 10_000
  static let retryInterval: Int64 = 1_000
  /// Looking for tokens by their id goes through all connections: at most this often, in milliseconds.
  static let searchInterval: Int64 = 100

  var table = RevocationTable()
  /// Where the relay's order was read up to.
  var position = 0
  var isReading = false
  /// Something came while a slice was on its way.
  var readsAgain = false
  var readAt: Int64 = .max
  /// Everything was read since the last doubt …
  var isComplete = false
  /// … and when that was last so.
  var completeAt: Int64?
  /// The log was told that the copy is all there is.
  var isTold = false

  /// What the relay may not know.
  var unannounced: Set<[UInt8]> = []
  /// Those of them to be announced next, from the end.
  var announcing: [[UInt8]] = []
  var isAnnouncing = false

  /// Keys of tokens that connections must still be searched for.
  var sought: Set<[UInt8]> = []
  var searchAt: Int64 = .min

  /// The relay may have forgotten everything.
  mutating func beginAnew() {
    position = 0
    unannounced.formUnion(table.keys)
    announcing = []
  }
}

extension Hub {
  // MARK: Backends

  mutating func revoke(_ asker: ConnectionID, _ wanted: [Revocation], now: Now) {
    let known = revocations.table
    guard known.count + wanted.count <= RevocationTable.limit || wanted.allSatisfy({ known[$0.key] != nil }) else {
      return output.actions.append(.backend(asker, .tooManyRevocations))
    }
    for revocation in wanted {
      apply(revocation)
      revocations.unannounced.insert(revocation.key)
    }
    guard relayState == .connected else {
      return output.actions.append(.backend(asker, .revokedHere))
    }
    ask(.revoke(wanted), .revoke(asker, wanted.map(\.key)))
  }

  /// An admin's token opens the API no longer than it would open a WebSocket.
  mutating func checkToken(_ asker: ConnectionID, _ grant: TokenGrant) {
    let isRevoked = revocations.table.covers(grant.identity.user, grant.stamp)
    output.actions.append(.backend(asker, .token(isRevoked: isRevoked)))
  }

  mutating func revokeAnswered(_ asker: ConnectionID?, _ keys: [[UInt8]], _ reply: RelayReply, now: Now) {
    if asker == nil { revocations.isAnnouncing = false }
    let answer: BackendAnswer
    switch reply {
    case .revoked(refused: 0):
      revocations.unannounced.subtract(keys)
      answer = .revoked
    case .revoked:
      // What the relay has no room for holds here all the same, and is offered again with the next reading.
      revocations.unannounced.formUnion(keys)
      revocations.announcing = []
      answer = .tooManyRevocations
    default:
      revocations.unannounced.formUnion(keys)
      revocations.announcing = []
      revocations.readAt = min(revocations.readAt, now.monotonic + Revocations.retryInterval)
      answer = .revokedHere
    }
    if let asker { output.actions.append(.backend(asker, answer)) }
  }

  // MARK: Reading

  /// Some may have been missed.
  mutating func doubtRevocations(isNewGeneration: Bool, now: Now) {
    if isNewGeneration { revocations.beginAnew() }
    revocations.isComplete = false
    readRevocations(now: now)
  }

  /// There is something new to read.
  mutating func readRevocations(now: Now) {
    revocations.readsAgain = revocations.isReading
    revocations.readAt = now.monotonic
  }

  mutating func revocationsArrived(_ reply: RelayReply, now: Now) {
    revocations.isReading = false
    revocations.readAt = now.monotonic + Revocations.retryInterval
    guard case .revocations(let slice) = reply else { return }
    revocations.readAt = now.monotonic
    guard slice.top >= revocations.position else {
      // Fewer than there were: whatever happened to the others, they hold.
      revocations.beginAnew()
      revocations.isComplete = false
      return
    }
    for revocation in slice.entries {
      apply(revocation)
      if revocations.table[revocation.key] == revocation { revocations.unannounced.remove(revocation.key) }
    }
    revocations.position = slice.position
    if slice.isLast { finishReading(horizon: slice.horizon, now: now) }
  }

  private mutating func finishReading(horizon: Int64, now: Now) {
    revocations.table.forget(endedBefore: horizon)
    if !revocations.unannounced.isEmpty {
      let table = revocations.table
      revocations.unannounced = revocations.unannounced.filter { table[$0] != nil }
      planAnnouncing()
    }
    (revocations.isComplete, revocations.completeAt) = (true, now.monotonic)
    if !revocations.readsAgain { revocations.readAt = now.monotonic + Revocations.readInterval }
    revocations.readsAgain = false
    guard revocations.isTold else { return }
    revocations.isTold = false
    output.actions.append(.notice(.revocationsCurrent(count: revocations.table.count)))
  }

  /// Nodes that announce the same begin in different places, and leave out what the others were faster with.
  private mutating func planAnnouncing() {
    let keys = revocations.unannounced.sorted { $0.lexicographicallyPrecedes($1) }
    let start = keys.isEmpty ? 0 : Int(random.next() % UInt64(keys.count))
    revocations.announcing = Array(keys[start...] + keys[..<start])
  }

  /// The relay is away: what is known stays in force, and the operator should know that it may be old.
  mutating func tellOldRevocations() {
    guard !revocations.isTold else { return }
    revocations.isTold = true
    output.actions.append(.notice(.revocationsOld(count: revocations.table.count)))
  }

  // MARK: Turns

  private var mayAskForRevocations: Bool { !generationToken.isEmpty && relayState != .degraded }

  var revocationDeadline: Int64? {
    var earliest: Int64?
    if !revocations.isReading, mayAskForRevocations { earliest = revocations.readAt }
    if !revocations.sought.isEmpty { earliest = min(earliest ?? .max, revocations.searchAt) }
    return earliest
  }

  mutating func serveRevocations(now: Now) {
    if !revocations.sought.isEmpty, revocations.searchAt <= now.monotonic { searchConnections(now: now) }
    guard mayAskForRevocations else { return }
    if !revocations.isReading, revocations.readAt <= now.monotonic {
      revocations.isReading = true
      revocations.readAt = .max
      ask(.revocations(after: revocations.position), .revocations)
    }
    if !revocations.announcing.isEmpty { announceRevocations() }
  }

  private mutating func announceRevocations() {
    guard revocations.isComplete, !revocations.isAnnouncing else { return }
    var batch: [Revocation] = []
    while batch.count < RelayLimits.revocationsPerRequest, let key = revocations.announcing.popLast() {
      guard revocations.unannounced.contains(key), let revocation = revocations.table[key] else { continue }
      batch.append(revocation)
    }
    guard !batch.isEmpty else { return }
    revocations.isAnnouncing = true
    ask(.revoke(batch), .revoke(nil, batch.map(\.key)))
  }

  // MARK: Closing

  /// From now on it holds on this node, for those who come and for those who are here.
  private mutating func apply(_ revocation: Revocation) {
    let hadRoom = !revocations.table.isFull
    guard revocations.table.learn(revocation) || !hadRoom else { return }
    guard let user = revocation.user else {
      revocations.sought.insert(revocation.key)
      return
    }
    guard let number = localUser(user) else { return }
    for connection in users[number].connections
    where connections[connection]!.token.issuedAt <= revocation.issuedUntil {
      closeRevoked(connection)
    }
  }

  private mutating func searchConnections(now: Now) {
    revocations.searchAt = now.monotonic + Revocations.searchInterval
    let found = connections.filter { _, record in
      !record.token.id.isEmpty && revocations.sought.contains([UInt8(ascii: "t")] + record.token.id)
    }
    revocations.sought = []
    for connection in found.keys.sorted(by: { $0.rawValue < $1.rawValue }) { closeRevoked(connection) }
  }

  private mutating func closeRevoked(_ connection: ConnectionID) {
    output.actions.append(.close(connection, .revoked))
  }

  // MARK: New tokens

  /// A client gave a new token, which is good in itself: it must be the same user's, and not revoked.
  mutating func refresh(_ connection: ConnectionID, _ grant: TokenGrant, id: [UInt8]) {
    guard let user = user(of: connection) else { return }
    let isHis = users[user].identity.user.utf8.elementsEqual(grant.identity.user.utf8)
    let isGood = isHis && !revocations.table.covers(grant.identity.user, grant.stamp)
    if isGood { connections[connection]!.token = grant.stamp }
    output.actions.append(.refreshed(connection, grant, isGood: isGood, id: id))
  }
}
