import FaultRunner
import Testing

/// A ledger that is fed with a broken promise must say which one, and nothing else.
@Suite struct LedgerTests {
  /// Three clients in a room from offset 0 on.
  private func ledger() -> Ledger {
    var ledger = Ledger()
    for client in 0..<3 {
      ledger.joined(client, "r", at: Position("e", 0), since: nil, recovered: nil, reason: nil)
      ledger.entered(client, "r", as: "u\(client)", now: 0)
    }
    return ledger
  }

  private func verdict(_ ledger: Ledger, final: String? = nil) -> Counts {
    var ledger = ledger
    ledger.finish(members: (0..<3).map { ($0, "r") }, finals: final.map { ["r": $0] } ?? [:])
    return ledger.counts
  }

  /// Everybody hears it; client 0 said it.
  private func say(
    _ number: Int, at offset: Int, to listeners: [Int] = [1, 2], epoch: String = "e", _ ledger: inout Ledger
  ) {
    ledger.acked(0, "r", at: Position(epoch, offset), id: "i\(number)", content: "u0.\(number)", isDuplicate: false)
    for client in listeners { ledger.heard(client, "r", offset: offset, id: "i\(number)", content: "u0.\(number)") }
  }

  @Test func `all is well`() {
    var ledger = ledger()
    for number in 1...5 { say(number, at: number, &ledger) }
    let counts = verdict(ledger, final: "u0.5")
    #expect(counts.violations == 0 && counts.acked == 5 && counts.delivered == 15 && counts.announced == 0)
  }

  @Test func `a hole in a member's view is a loss`() {
    var ledger = ledger()
    say(1, at: 1, &ledger)
    say(2, at: 2, to: [1], &ledger)
    say(3, at: 3, &ledger)
    let counts = verdict(ledger)
    #expect(counts.lost == 1 && counts.violations == 1)
  }

  @Test func `a message that one member never gets is a loss, at the end too`() {
    var ledger = ledger()
    say(1, at: 1, to: [1], &ledger)
    #expect(verdict(ledger).lost == 1)
  }

  @Test func `a member who stays behind in an old epoch lost the room's last message`() {
    var ledger = ledger()
    for client in [0, 1] { ledger.resync(client, "r", to: Position("f", 0), reason: "epoch_changed") }
    say(1, at: 1, to: [1], epoch: "f", &ledger)
    let counts = verdict(ledger, final: "u0.1")
    #expect(counts.lost == 1 && counts.announced == 2 && counts.violations == 1)
  }

  @Test func `an announced gap is no loss`() {
    var ledger = ledger()
    say(1, at: 1, to: [1], &ledger)
    ledger.resync(2, "r", to: Position("e", 1), reason: "too_far")
    say(2, at: 2, &ledger)
    let counts = verdict(ledger)
    #expect(counts.violations == 0 && counts.announced == 1)
  }

  @Test func `coming back with a position and missing nothing of it`() {
    var ledger = ledger()
    say(1, at: 1, &ledger)
    say(2, at: 2, to: [1], &ledger)
    ledger.joined(2, "r", at: Position("e", 1), since: Position("e", 1), recovered: true, reason: nil)
    ledger.heard(2, "r", offset: 2, id: "i2", content: "u0.2")
    #expect(verdict(ledger).violations == 0)
  }

  @Test(arguments: [Position("e", 2), Position("f", 1)])
  func `a recovery that begins elsewhere is a wrong answer`(place: Position) {
    var ledger = ledger()
    say(1, at: 1, &ledger)
    ledger.joined(2, "r", at: place, since: Position("e", 1), recovered: true, reason: nil)
    #expect(ledger.counts.wrongAnswers == 1)
  }

  @Test func `not being recovered is announced, and needs a reason`() {
    var ledger = ledger()
    ledger.joined(2, "r", at: Position("f", 7), since: Position("e", 0), recovered: false, reason: "epoch_changed")
    #expect(ledger.counts.announced == 1 && ledger.counts.wrongAnswers == 0)
    ledger.joined(2, "r", at: Position("f", 7), since: Position("e", 0), recovered: false, reason: nil)
    #expect(ledger.counts.announced == 2 && ledger.counts.wrongAnswers == 1)
  }

  @Test func `twice the same message is doubled, at the same offset or another`() {
    var ledger = ledger()
    say(1, at: 1, &ledger)
    ledger.heard(1, "r", offset: 1, id: "i1", content: "u0.1")
    #expect(ledger.counts.doubled == 1)
    ledger.heard(2, "r", offset: 2, id: "i1", content: "u0.1")
    #expect(ledger.counts.doubled == 2 && ledger.counts.misordered == 0)
  }

  @Test func `an older offset after a newer one is misordered`() {
    var ledger = ledger()
    say(1, at: 1, to: [], &ledger)
    say(2, at: 2, &ledger)
    ledger.heard(1, "r", offset: 1, id: "i1", content: "u0.1")
    #expect(ledger.counts.misordered == 1)
  }

  @Test func `a sender's later message first is misordered, unless the sender was unsure`() {
    var ledger = ledger()
    ledger.heard(1, "r", offset: 1, id: "i2", content: "u0.2")
    ledger.heard(1, "r", offset: 2, id: "i1", content: "u0.1")
    #expect(verdict(ledger).misordered == 1)
    ledger.isUnsure("u0.1")
    #expect(verdict(ledger).misordered == 0)
  }

  @Test func `different messages at one place are divergent`() {
    var ledger = ledger()
    ledger.heard(1, "r", offset: 1, id: "i1", content: "u0.1")
    ledger.heard(2, "r", offset: 1, id: "i2", content: "u0.2")
    #expect(ledger.counts.divergent == 1)
  }

  @Test func `an ack that names a stranger's place is divergent, and one of a duplicate moves nothing`() {
    var ledger = ledger()
    say(1, at: 1, &ledger)
    ledger.acked(0, "r", at: Position("e", 1), id: "i1", content: "u0.1", isDuplicate: true)
    #expect(ledger.position(of: 0, in: "r") == Position("e", 1))
    #expect(ledger.counts.violations == 0)
    ledger.acked(0, "r", at: Position("e", 1), id: "i9", content: "u0.9", isDuplicate: true)
    #expect(ledger.counts.divergent == 1)
  }

  @Test func `an ack of another epoch than the client's is misordered`() {
    var ledger = ledger()
    ledger.acked(0, "r", at: Position("f", 1), id: "i1", content: "u0.1", isDuplicate: false)
    #expect(ledger.counts.misordered == 1)
  }

  @Test func `a repeat that the node swallows after a change of epoch is no loss`() {
    var ledger = ledger()
    ledger.heard(1, "r", offset: 1, id: "i1", content: "u0.1")
    for client in 0..<3 { ledger.resync(client, "r", to: Position("f", 0), reason: "epoch_changed") }
    // Client 1 had it already and hears offset 2 only.
    say(1, at: 1, to: [2], epoch: "f", &ledger)
    say(2, at: 2, epoch: "f", &ledger)
    #expect(verdict(ledger).violations == 0)
  }

  @Test func `the evidence names room, client and message`() {
    var ledger = ledger()
    say(1, at: 1, to: [1], &ledger)
    ledger.finish(members: [(2, "r")], finals: [:])
    #expect(ledger.evidence.count == 1)
    #expect(ledger.evidence.first?.contains("r, client 2 lacks e:1 (u0.1, acked: true)") == true)
  }

  // MARK: Presence

  @Test func `joins and leaves alternate`() {
    var ledger = ledger()
    ledger.heardPresence(1, "r", of: "x", isJoin: true, now: 0)
    ledger.heardPresence(1, "r", of: "x", isJoin: false, now: 1)
    ledger.heardPresence(1, "r", of: "x", isJoin: true, now: 2)
    #expect(ledger.counts.wrongPresence == 0)
    ledger.heardPresence(1, "r", of: "x", isJoin: true, now: 3)
    #expect(ledger.counts.wrongPresence == 1)
    ledger.entered(1, "r", as: "u1", now: 4)
    ledger.heardPresence(1, "r", of: "x", isJoin: true, now: 5)
    #expect(ledger.counts.wrongPresence == 1, "a new connection was told nothing yet")
  }

  @Test func `who is there has not left`() {
    var ledger = ledger()
    ledger.heardPresence(1, "r", of: "u0", isJoin: false, now: 60_000)
    #expect(ledger.counts.wrongPresence == 1)
  }

  @Test func `who was away for a moment has not left, who was away for long may have`() {
    var ledger = ledger()
    ledger.exited(0, "r", as: "u0", now: 10_000)
    ledger.entered(0, "r", as: "u0", now: 11_000)
    ledger.heardPresence(1, "r", of: "u0", isJoin: false, now: 12_500)
    #expect(ledger.counts.wrongPresence == 1)
    ledger.exited(2, "r", as: "u2", now: 10_000)
    ledger.entered(2, "r", as: "u2", now: 15_000)
    ledger.heardPresence(1, "r", of: "u2", isJoin: false, now: 15_100)
    #expect(ledger.counts.wrongPresence == 1)
  }

  @Test func `whose clients notice nothing may seem to leave`() {
    var ledger = ledger()
    ledger.isUnaccountable("u0")
    ledger.heardPresence(1, "r", of: "u0", isJoin: false, now: 60_000)
    #expect(ledger.counts.wrongPresence == 0)
  }
}
