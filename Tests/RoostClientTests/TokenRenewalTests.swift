import Testing

@testable import RoostClient

/// Who is asked for a token, when, and what becomes of it.
@Suite("client: tokens") struct TokenRenewalTests {
  private func core(hasSource: Bool, token: String? = nil) -> ClientCore {
    var rules = ClientRules(idPrefix: "me", seed: 1)
    rules.hasTokenSource = hasSource
    return ClientCore(rules, token: token)
  }

  /// Connected with "first".
  private func open() -> ClientCore {
    var core = core(hasSource: true)
    core.connect(ticket: 1, 0)
    core.tokenArrived("first", 0)
    core.opened(0)
    _ = core.takeActions()
    return core
  }

  @Test func `the source is asked before the first connection`() {
    var core = core(hasSource: true)
    core.connect(ticket: 1, 0)
    #expect(core.takeActions() == [.fetchToken(.first)])
    core.tokenArrived("first", 0)
    #expect(core.takeActions() == [.connect(token: "first")])
    core.opened(0)
    #expect(core.takeActions() == [.answer(ticket: 1, .success(.done))])
  }

  @Test func `a source that fails is asked again later`() {
    var core = core(hasSource: true)
    core.connect(ticket: 1, 0)
    _ = core.takeActions()
    core.tokenFailed("no network", 0)
    guard case .waiting(let until) = core.phase else { return #expect(Bool(false), "\(core.phase)") }
    core.tick(until)
    #expect(core.takeActions() == [.fetchToken(.first)])
  }

  @Test func `a token that ends soon is replaced on the open connection`() throws {
    var core = open()
    core.received(Array(#"{"type":"token_expiring","payload":{"expires_at":"2026-01-01T00:00:00.000Z"}}"#.utf8), 0)
    #expect(core.takeActions() == [.fetchToken(.expiring)])
    core.tokenArrived("second", 0)
    let actions = core.takeActions()
    guard case .send(let text) = actions.first, actions.count == 1 else { return #expect(Bool(false), "\(actions)") }
    let json = try #require(JSONText(text))
    #expect(json["type"]?.string == "refresh_token" && json["payload"]?["token"]?.string == "second")
    core.received(Array(#"{"type":"ack","id":"\#(json["id"]?.string ?? "")","payload":{"left":[]}}"#.utf8), 0)
    #expect(core.requests.items.isEmpty && core.phase == .open)
    // The next connection begins with it.
    core.ended(.lost, 0)
    core.tick(60_000)
    #expect(core.takeActions() == [.connect(token: "second")])
  }

  @Test func `an end by 4001 asks for the next, and ends it when there is nobody to ask`() {
    var core = open()
    core.ended(.closed(code: 4_001, reason: ""), 0)
    #expect(core.takeActions() == [.fetchToken(.expired)])
    core.tokenArrived("second", 0)
    #expect(core.takeActions() == [.connect(token: "second")])

    core = self.core(hasSource: false, token: "only")
    core.connect(ticket: 1, 0)
    core.opened(0)
    core.ended(.closed(code: 4_001, reason: "token expired"), 0)
    #expect(core.end == .closed(code: 4_001, reason: "token expired"))
  }

  @Test func `401 asks for the next, but not for ever`() {
    var core = open()
    core.ended(.lost, 0)
    core.tick(60_000)
    #expect(core.takeActions() == [.connect(token: "first")])
    core.ended(.refused(status: 401, retryAfter: nil), 60_000)
    #expect(core.takeActions() == [.fetchToken(.refused)])
    for attempt in 1...3 {
      core.tokenArrived("bad \(attempt)", 60_000)
      #expect(core.takeActions() == [.connect(token: "bad \(attempt)")])
      core.ended(.refused(status: 401, retryAfter: nil), 60_000)
      core.tick(120_000)
      #expect(core.takeActions() == (attempt < 3 ? [.fetchToken(.refused)] : []))
    }
    #expect(core.end == .refused(status: 401))
  }

  @Test func `401 without a source ends it`() {
    var core = core(hasSource: false, token: "only")
    core.connect(ticket: 1, 0)
    core.ended(.refused(status: 401, retryAfter: nil), 0)
    #expect(core.end == .refused(status: 401))
  }

  @Test func `without a source the end of a token is told`() {
    var core = core(hasSource: false, token: "only")
    core.connect(ticket: 1, 0)
    core.opened(0)
    core.received(Array(#"{"type":"token_expiring","payload":{"expires_at":"soon"}}"#.utf8), 0)
    _ = core.takeEvent(0)
    #expect(core.takeEvent(0) == .tokenExpiring(at: "soon"))
  }
}
