extension ClientCore {
  // MARK: Inputs

  /// Somebody wants a connection, and an answer when there is one.
  mutating func connect(ticket: Int, _ now: Int64) {
    switch phase {
    case .ended: answer(ticket, .failure(end ?? .disconnected))
    case .closing: answer(ticket, .failure(.disconnected))
    case .open: answer(ticket, .success(.done))
    case .token, .connecting, .waiting: connectTickets.append(ticket)
    case .idle:
      connectTickets.append(ticket)
      begin(now)
    }
  }

  /// Messages may pass.
  mutating func opened(_ now: Int64) {
    guard case .connecting = phase else { return }
    (phase, hasBeenOpen, lastHeard, isProbing) = (.open, true, now, false)
    (isTokenFresh, refusedTokens, drainDelay, fetchAgainAt) = (false, 0, nil, nil)
    events.append(.connection(.open))
    for ticket in connectTickets { answer(ticket, .success(.done)) }
    connectTickets = []
    pump(now)
  }

  /// The connection is over, or was not made.
  mutating func ended(_ ending: Ending, _ now: Int64) {
    switch phase {
    case .idle, .token, .waiting, .ended: return
    case .closing: return finish(nil)
    case .connecting, .open: break
    }
    let delay = phase == .open ? drainDelay : nil
    drainDelay = nil
    lose()
    switch ending {
    case .failed(let reason), .violation(let reason): tryAgain(reason, .unreachable(reason), now)
    case .untrusted(let reason):
      // Whoever has just begun has the wrong address or the wrong authority. Later it is a certificate that somebody
      // forgot to renew, or a stranger on the way: that passes.
      let error = ClientError.untrusted(reason)
      guard hasBeenOpen else { return finish(error) }
      tryAgain("\(error)", error, now)
    case .lost: tryAgain("the connection was lost", .unreachable("it ends the connection"), now, exactly: delay)
    case .refused(401, _): refused(now)
    case .refused(let status, let retryAfter) where [408, 425, 429].contains(status) || status >= 500:
      tryAgain("the server says \(status)", .refused(status: status), now, atLeast: retryAfter ?? 0)
    case .refused(let status, _): finish(.refused(status: status))
    case .closed(4001, _) where rules.hasTokenSource: renewToken(.expired, now)
    case .closed(let code, let reason):
      let error = ClientError.closed(code: code, reason: reason)
      guard code != 4001, Self.comesBack(after: code) else { return finish(error) }
      // It was told to slow down and did not.
      if code == 4029 { backoff.raise(by: 3) }
      tryAgain("\(error)", error, now, exactly: delay)
    }
  }

  /// The protocol's list, and what proxies say when a node is gone (1005, 1011, 1013, 1014).
  private static func comesBack(after code: Int) -> Bool {
    switch code {
    case 1_000, 1_002, 1_003, 1_007...1_010, 4_500...4_999: false
    default: true
    }
  }

  /// Something came from the server, whatever it is.
  mutating func heard(_ now: Int64) { (lastHeard, isProbing) = (now, false) }

  mutating func tokenArrived(_ fresh: String, _ now: Int64) {
    guard isFetching else { return }
    (isFetching, token, isTokenFresh) = (false, fresh, true)
    if phase == .token { begin(now) }
    if phase == .open {
      isTokenFresh = false
      let id = nextID()
      requests.append(Request(id: id, kind: .refresh, room: nil, text: ClientText.refresh(fresh, id: id)))
      pump(now)
    }
  }

  mutating func tokenFailed(_ reason: String, _ now: Int64) {
    guard isFetching else { return }
    isFetching = false
    if phase == .token { tryAgain(reason, .unreachable(reason), now) }
    if phase == .open { fetchAgainAt = now + max(1_000, backoff.draw(upTo: 5_000)) }
  }

  /// Somebody wants it to be over.
  mutating func disconnect(ticket: Int, _ now: Int64) {
    switch phase {
    case .ended: return answer(ticket, .success(.done))
    case .closing: return closeTickets.append(ticket)
    case .idle, .token, .waiting: closeTickets.append(ticket)
    case .connecting:
      closeTickets.append(ticket)
      actions.append(.drop)
    case .open:
      closeTickets.append(ticket)
      actions.append(.close)
      phase = .closing(until: now + rules.closeTimeout)
      return failEverything(.disconnected)
    }
    finish(nil)
  }

  /// Time has passed.
  mutating func tick(_ now: Int64) {
    switch phase {
    case .idle, .token, .ended: return
    case .waiting(let until): if until <= now { begin(now) }
    case .connecting(let until) where until <= now:
      actions.append(.drop)
      ended(.failed("no answer in time"), now)
    case .closing(let until) where until <= now:
      actions.append(.drop)
      finish(nil)
    case .connecting, .closing: return
    case .open: tickOpen(now)
    }
  }

  // MARK: What comes of it

  private mutating func tickOpen(_ now: Int64) {
    if now >= lastHeard + 2 * rules.silence {
      actions.append(.drop)
      return ended(.lost, now)
    }
    if now >= lastHeard + rules.silence, !isProbing {
      isProbing = true
      actions.append(.ping)
    }
    if let moment = fetchAgainAt, moment <= now {
      fetchAgainAt = nil
      fetchToken(.expiring)
    }
    for request in requests.overdue(now, answerTimeout: rules.answerTimeout) { giveUp(request) }
    for (name, track) in rooms {
      if case .asked(_, let moment) = track.phase, moment + rules.answerTimeout <= now {
        rooms[name]?.askAgain(at: now)
      }
    }
    pump(now)
  }

  private mutating func begin(_ now: Int64) {
    if rules.hasTokenSource && token == nil {
      phase = .token
      return fetchToken(tokenReason)
    }
    phase = .connecting(until: now + rules.openTimeout)
    actions.append(.connect(token: token))
  }

  mutating func fetchToken(_ reason: TokenReason) {
    guard !isFetching else { return }
    isFetching = true
    actions.append(.fetchToken(reason))
  }

  private mutating func refused(_ now: Int64) {
    guard rules.hasTokenSource else { return finish(.refused(status: 401)) }
    guard isTokenFresh else { return renewToken(.refused, now) }
    // Whoever gives tokens gives bad ones: that is not mended by asking for ever.
    refusedTokens += 1
    guard refusedTokens < 3 else { return finish(.refused(status: 401)) }
    (token, tokenReason) = (nil, .refused)
    tryAgain("the server does not take the token", .refused(status: 401), now)
  }

  private mutating func renewToken(_ reason: TokenReason, _ now: Int64) {
    (token, tokenReason) = (nil, reason)
    begin(now)
  }

  /// - Parameters:
  ///   - exactly: the pause, as the server asked for it.
  ///   - atLeast: the shortest pause, as the server asked for it.
  private mutating func tryAgain(
    _ reason: String, _ error: ClientError, _ now: Int64, exactly: Int64? = nil, atLeast: Int64 = 0
  ) {
    if !hasBeenOpen {
      failedFirstAttempts += 1
      if let limit = rules.firstAttempts, failedFirstAttempts >= limit { return finish(error) }
    }
    let pause = exactly ?? max(backoff.next(), atLeast)
    phase = .waiting(until: now + pause)
    events.append(.connection(.waiting(reason: reason, retryAfter: .milliseconds(pause))))
  }

  /// Everything goes back to what it is without a connection.
  private mutating func lose() {
    for request in requests.lose() { giveUp(request) }
    for name in rooms.keys { rooms[name]?.lose() }
  }

  /// It cannot be sent again.
  private mutating func giveUp(_ request: Request) {
    // Without a connection we are in no room, and the token is what the next one begins with.
    answer(request.ticket, request.kind == .direct ? .failure(.outcomeUnknown) : .success(.done))
  }

  private mutating func finish(_ error: ClientError?) {
    (phase, end) = (.ended, error)
    failEverything(error ?? .disconnected)
    for ticket in closeTickets { answer(ticket, .success(.done)) }
    closeTickets = []
    events.force(.connection(.ended(error)))
  }

  private mutating func failEverything(_ error: ClientError) {
    for request in requests.takeAll() { answer(request.ticket, .failure(error)) }
    for name in rooms.keys.sorted() {
      for ticket in rooms[name]?.tickets ?? [] { answer(ticket, .failure(error)) }
    }
    rooms = [:]
    for ticket in connectTickets { answer(ticket, .failure(error)) }
    connectTickets = []
  }
}
