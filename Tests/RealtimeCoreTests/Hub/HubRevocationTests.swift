import RealtimeCore
import Testing

@Suite struct HubRevocationTests {
  private static let never = Revocation.moments.upperBound
  private let asker = ConnectionID(shard: 0, generation: 9, slot: 99)

  /// What somebody who comes is told; `nil`: welcome.
  private func refusal(of slot: UInt32, _ user: String, _ token: TokenStamp, by hub: HubHarness) -> Refusal? {
    let connection = hub.connect(slot, user: user, token: token)
    #expect((hub.refused[connection] == nil) == (hub.admitted[connection] != nil))
    return hub.refused[connection]
  }

  private func token(_ id: String) throws -> Revocation {
    try #require(Revocation.token(id, until: Self.never))
  }

  private func user(_ user: String, issuedUntil: Int64) throws -> Revocation {
    try #require(Revocation.user(user, issuedUntil: issuedUntil, until: Self.never))
  }

  @Test func `a revoked token's connections are closed and it is turned away, others are not`() throws {
    let hub = HubHarness()
    let phone = hub.connect(1, user: "ann", token: TokenStamp(id: "x", issuedAt: 5))
    let laptop = hub.connect(2, user: "ann", token: TokenStamp(id: "y", issuedAt: 5))
    let plain = hub.connect(3, user: "bob")
    hub.tell(.revoke(asker, [try token("x")]))
    #expect(hub.answers == [.revoked])
    #expect(hub.closed == [phone: .revoked])
    let again = hub.connect(4, user: "ann", token: TokenStamp(id: "x", issuedAt: 5))
    #expect(hub.refused[again] == .revoked && hub.admitted[again] == nil)
    let other = hub.connect(5, user: "ann", token: TokenStamp(id: "z", issuedAt: 1))
    #expect(hub.admitted[other] != nil && hub.admitted[laptop] != nil && hub.closed[plain] == nil)
  }

  @Test func `revoking a user's tokens spares those that were issued later`() throws {
    let hub = HubHarness()
    let old = hub.connect(1, user: "ann", token: TokenStamp(issuedAt: 100))
    let new = hub.connect(2, user: "ann", token: TokenStamp(issuedAt: 101))
    let timeless = hub.connect(3, user: "ann")
    let bob = hub.connect(4, user: "bob", token: TokenStamp(issuedAt: 1))
    hub.tell(.revoke(asker, [try user("ann", issuedUntil: 100)]))
    #expect(hub.closed == [old: .revoked, timeless: .revoked])
    #expect(refusal(of: 5, "ann", TokenStamp(issuedAt: 100), by: hub) == .revoked)
    #expect(refusal(of: 6, "ann", TokenStamp(id: "x"), by: hub) == .revoked)
    #expect(refusal(of: 7, "ann", TokenStamp(issuedAt: 101), by: hub) == nil)
    #expect(hub.admitted[new] != nil && hub.admitted[bob] != nil)
    hub.tell(.revoke(asker, [try user("ann", issuedUntil: 99)]))
    #expect(refusal(of: 8, "ann", TokenStamp(issuedAt: 100), by: hub) == .revoked, "bounds only grow")
  }

  @Test func `a revoked token is turned away as such, not for the number of connections`() throws {
    let hub = HubHarness { $0.connectionsPerUser = 1 }
    hub.connect(1, user: "ann")
    hub.tell(.revoke(asker, [try token("x")]))
    #expect(refusal(of: 2, "ann", TokenStamp(id: "x"), by: hub) == .revoked)
    #expect(refusal(of: 3, "ann", TokenStamp(id: "y"), by: hub) == .tooManyConnections)
  }

  @Test func `what another node revokes is read when it is told, and when the telling was missed`() throws {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann", token: TokenStamp(id: "x"))
    let bob = hub.connect(2, user: "bob", token: TokenStamp(id: "y"))
    let cy = hub.connect(3, user: "cy", token: TokenStamp(id: "z"))
    hub.revokeElsewhere([try token("x")])
    #expect(hub.closed == [ann: .revoked])
    hub.advance(200)
    hub.revokeElsewhere([try token("y")], isTold: false)
    #expect(hub.closed[bob] == nil)
    hub.tell(.resubscribed)
    #expect(hub.closed[bob] == .revoked)
    hub.revokeElsewhere([try token("z")], isTold: false)
    hub.advance(12_000)
    #expect(hub.closed[cy] == .revoked, "read again in time even so")
    #expect(hub.report.revocations == 3)
  }

  @Test func `only the nodes' own word counts`() throws {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann", token: TokenStamp(id: "x"))
    hub.revokeElsewhere([try token("x")], isTold: false)
    for text in [
      #"{"type":"revoked","payload":1}"#, #"{"type":"revoked","payload":1,"token":"guess"}"#,
      #"{"type":"disconnect","payload":"bye","recipient_id":"ann"}"#,
      #"{"type":"disconnect","payload":"bye","recipient_id":"ann","token":"guess"}"#,
    ] { hub.tell(.frame(Array(text.utf8))) }
    #expect(hub.closed[ann] == nil && hub.counters.badFrames == 4)
    hub.tell(.frame(Array(#"{"type":"revoked","payload":1,"token":"local"}"#.utf8)))
    #expect(hub.closed[ann] == .revoked)
  }

  @Test func `while the relay is away it holds here, and is told when the relay is back`() throws {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann", token: TokenStamp(id: "x"))
    hub.failure = .unavailable
    hub.tell(.state(.degraded))
    hub.tell(.revoke(asker, [try token("x")]))
    #expect(hub.answers == [.revokedHere] && hub.closed == [ann: .revoked])
    #expect(refusal(of: 2, "ann", TokenStamp(id: "x"), by: hub) == .revoked)
    #expect(hub.storedRevocations == [])
    hub.failure = nil
    hub.tell(.state(.connected))
    #expect(hub.storedRevocations == [try token("x")])
  }

  @Test func `a revocation whose outcome is unknown is told again`() throws {
    let hub = HubHarness()
    hub.failure = .outcomeUnknown
    hub.tell(.revoke(asker, [try token("x")]))
    #expect(hub.answers == [.revokedHere] && hub.storedRevocations == [])
    hub.failure = nil
    hub.advance(3_000)
    #expect(hub.storedRevocations == [try token("x")])
  }

  @Test func `a relay that lost its memory is told everything again`() throws {
    let hub = HubHarness()
    let all = try (0..<720).map { try token("t\($0)") }
    for start in stride(from: 0, to: all.count, by: 90) { hub.revokeElsewhere(Array(all[start..<start + 90])) }
    #expect(hub.report.revocations == 720)
    hub.replaceRelay()
    #expect(Set(hub.storedRevocations) == Set(all))
    #expect(refusal(of: 1, "ann", TokenStamp(id: "t7"), by: hub) == .revoked)
  }

  @Test func `what others know and what this node knows comes together`() throws {
    let hub = HubHarness()
    hub.tell(.revoke(asker, [try token("mine"), try user("ann", issuedUntil: 5)]))
    hub.replaceRelay(with: [try token("theirs"), try user("ann", issuedUntil: 9)])
    #expect(Set(hub.storedRevocations) == [try token("mine"), try token("theirs"), try user("ann", issuedUntil: 9)])
    #expect(refusal(of: 1, "ann", TokenStamp(issuedAt: 9), by: hub) == .revoked)
  }

  @Test func `a revocation is forgotten some minutes after its end`() throws {
    let hub = HubHarness()
    let end = hub.now.wall / 1_000 + 60
    hub.tell(.revoke(asker, [try #require(Revocation.token("x", until: end))]))
    hub.advance(300_000)
    #expect(hub.report.revocations == 1, "clocks differ")
    hub.advance(80_000)
    #expect(hub.report.revocations == 0 && hub.storedRevocations == [])
  }

  @Test func `looking for tokens is done in bundles`() throws {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann", token: TokenStamp(id: "a"))
    let bob = hub.connect(2, user: "bob", token: TokenStamp(id: "b"))
    hub.tell(.revoke(asker, [try token("nobody's")]))
    hub.tell(.revoke(asker, [try token("a")]))
    hub.tell(.revoke(asker, [try token("b")]))
    #expect(hub.closed.isEmpty, "searched a moment ago")
    hub.advance(100)
    #expect(hub.closed == [ann: .revoked, bob: .revoked])
  }

  // MARK: New tokens

  private func grant(_ user: String, _ stamp: TokenStamp) throws -> TokenGrant {
    TokenGrant(
      identity: try #require(Identity(user: user)), stamp: stamp, mayJoin: nil, maySend: nil, end: .max)
  }

  @Test func `a new token must be the same user's, and not revoked`() throws {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann", token: TokenStamp(id: "old"))
    hub.tell(.revoke(asker, [try token("bad")]))
    hub.tell(.refresh(ann, try grant("bob", TokenStamp(id: "new")), id: []))
    hub.tell(.refresh(ann, try grant("ann", TokenStamp(id: "bad")), id: []))
    hub.tell(.refresh(ann, try grant("ann", TokenStamp(id: "new")), id: []))
    #expect(hub.refreshed.map(\.isGood) == [false, false, true])
    hub.advance(200)
    hub.tell(.revoke(asker, [try token("old")]))
    hub.advance(200)
    #expect(hub.closed.isEmpty, "it goes by the new one")
    hub.tell(.revoke(asker, [try token("new")]))
    hub.advance(200)
    #expect(hub.closed == [ann: .revoked])
  }

  // MARK: Closing

  @Test func `a user's connections are closed and counted`() throws {
    let hub = HubHarness()
    let phone = hub.connect(1, user: "ann")
    let laptop = hub.connect(2, user: "ann")
    hub.connect(3, user: "bob")
    let words = "account \"locked\""
    hub.tell(.disconnectUser(asker, user: "ann", reason: words))
    #expect(hub.closed == [phone: .disconnected(words: words), laptop: .disconnected(words: words)])
    #expect(hub.answers == [.disconnected(connections: 2, isPartial: false)])
    hub.tell(.disconnectUser(asker, user: "nobody", reason: ""))
    #expect(hub.answers.last == .disconnected(connections: 0, isPartial: false))
  }

  @Test func `words for a close frame are cut between characters`() {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.tell(.disconnectUser(asker, user: "ann", reason: String(repeating: "€", count: 60)))
    #expect(hub.closed[ann] == .disconnected(words: String(repeating: "€", count: 41)))
  }

  @Test func `without the relay the own connections are closed, and the answer says partial`() {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.failure = .unavailable
    hub.tell(.disconnectUser(asker, user: "ann", reason: ""))
    #expect(hub.closed == [ann: .disconnected(words: "")])
    #expect(hub.answers == [.disconnected(connections: 1, isPartial: true)])
    hub.tell(.state(.degraded))
    hub.tell(.disconnectUser(asker, user: "ann", reason: ""))
    #expect(hub.answers.last == .disconnected(connections: 1, isPartial: true))
  }

  @Test func `a node that does not answer makes it partial`() {
    let hub = HubHarness()
    hub.holdsRequests = true
    hub.tell(.disconnectUser(asker, user: "ann", reason: ""))
    let sent = hub.held.removeLast()
    hub.tell(.reply(sent.ticket, .sent(receivers: 2)))
    hub.tell(.directed(Array("reached 1 3 local".utf8)))
    #expect(hub.answers.isEmpty)
    hub.advance(500)
    #expect(hub.answers == [.disconnected(connections: 3, isPartial: false)], "one node is known, and answered")
  }

  @Test func `operators are told once that the copy may be old, and once that it is not`() throws {
    let hub = HubHarness()
    hub.tell(.state(.degraded))
    hub.tell(.state(.recovering))
    hub.tell(.state(.degraded))
    hub.tell(.state(.connected))
    let words = hub.notices.compactMap { notice in
      switch notice {
      case .revocationsOld: "old"
      case .revocationsCurrent: "current"
      default: nil
      }
    }
    #expect(words == ["old", "current"])
    #expect(hub.report.revocationsCompleteAt == hub.now.monotonic)
  }
}
