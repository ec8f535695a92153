import RealtimeCore

/// The command connection: AUTH, SELECT, INFO and SCRIPT LOAD, then BOOT, then requests.
extension RedisRelay {
  mutating func commandReady(isReadable: Bool) {
    if command.phase == .connecting {
      switch command.finishConnecting() {
      case .lost(let trouble, let why): return abandonCommand(trouble, why)
      case .open: greetCommand()
      case nil: return
      }
    }
    guard isReadable, command.isUp else { return }
    let outcome = command.receive(into: &scratch)
    let received = surroundings.nanoseconds()
    var reply = Reply()
    swap(&reply, &spareReply)
    do {
      while try command.nextReply(into: &reply) { try take(&reply, received: received) }
    } catch {
      abandonCommand(.nonsense, "Redis sent nonsense: \(error)")
    }
    swap(&reply, &spareReply)
    if case .lost(let trouble, let why) = outcome, command.isUp { abandonCommand(trouble, why) }
  }

  /// Closes the connection. Every request without an answer fails now: it may have run, and it may still run.
  /// - Parameter since: when the trouble began.
  mutating func abandonCommand(_ trouble: RelayTrouble, _ why: String, since: Int64? = nil) {
    lineTrouble = trouble
    counters.commandFailures += 1
    tell(trouble, "command connection to \(configuration.server): \(why)")
    if command.phase == .connecting { resolver.skip() }
    closeCommand(pause: trouble.pause, since: since)
  }

  mutating func closeCommand(pause: Int64 = 0, since: Int64? = nil) {
    command.close(now: now, pause: pause)
    liveness.stop()
    link.trouble(since: since ?? now)
    while let given = pending.popFirst() {
      if case .request(let ticket, _) = given.kind { events.append(.reply(ticket, .failed(.outcomeUnknown))) }
    }
  }

  private mutating func greetCommand() {
    command.enter(.greeting, now: now)
    server = ServerInfo()
    let url = configuration.server
    if !url.password.isEmpty {
      command.outbound.appendCommand(["AUTH"] + (url.user.isEmpty ? [] : [url.user]) + [url.password])
      expectReply(.acknowledgement)
    }
    if url.database != 0 {
      command.outbound.appendCommand(["SELECT", String(url.database)])
      expectReply(.acknowledgement)
    }
    for section in ["server", "replication", "cluster"] {
      command.outbound.appendCommand(["INFO", section])
      expectReply(.info)
    }
    for script in Script.allCases {
      command.outbound.appendCommand(["SCRIPT", "LOAD", script.source(configuration.scriptSettings)])
      expectReply(.script(script))
    }
  }

  /// - Parameter received: when it was read, in nanoseconds.
  private mutating func take(_ reply: inout Reply, received: Int64) throws(MalformedReply) {
    guard let awaited = pending.popFirst() else { throw .unexpectedShape }
    let kind = awaited.kind
    counters.roundTrips.observe(nanoseconds: received - awaited.sentNanoseconds)
    if case .request(let ticket, let shape) = kind {
      if let error = reply.errorText { return failRequest(ticket, shape, error) }
      do { events.append(.reply(ticket, try reply.decode(shape))) } catch {
        events.append(.reply(ticket, .failed(.outcomeUnknown)))
        throw error
      }
      if !refusals.isEmpty { accepted(shape) }
      return
    }
    if let error = reply.errorText { return refused(kind, error) }
    switch kind {
    case .request: break
    case .acknowledgement: _ = try reply.takeRange()
    case .probe: _ = try reply.takeInteger()
    case .rehearsal:
      _ = try reply.takeArray()
      refusals.accepted(.publishing)
    case .advice(let advice): takeAdvice(advice, &reply)
    case .info: server.take(try reply.takeString())
    case .script(let script):
      context.hashes[script.rawValue] = try reply.takeHash()
      if script == Script.allCases.last { finishGreeting() }
    case .boot:
      guard try reply.takeArray() == 2 else { throw .unexpectedShape }
      try finishBoot(generation: try reply.takeString(), session: try reply.takeString())
    }
  }

  private mutating func finishGreeting() {
    if let refusal = server.refusal {
      // Who was a replica for a while may have lost what the relay's generation knew.
      if !server.isMaster { distrusted = context.generation }
      return abandonCommand(refusal.trouble, refusal.words)
    }
    boot()
  }

  /// Not sent before INFO was answered: a connection that hangs must not leave a BOOT behind that ends the session of
  /// its successor.
  mutating func boot() {
    command.enter(.settling, now: now)
    command.outbound.appendCommand([
      "EVALSHA", context.hashes[Script.boot.rawValue], "0", configuration.nodeID, server.lineage,
      surroundings.secret(12), surroundings.secret(32), distrusted,
    ])
    expectReply(.boot)
  }

  private mutating func finishBoot(generation: String, session: String) throws(MalformedReply) {
    let bytes = Array(generation.utf8)
    guard bytes.count == 70, bytes.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) || $0 < 47 }),
      bytes[24] == UInt8(ascii: "-"), bytes[37] == UInt8(ascii: ".")
    else { throw .unexpectedShape }
    guard (1...20).contains(session.utf8.count), session.utf8.allSatisfy({ (48...57).contains($0) }) else {
      throw .unexpectedShape
    }
    distrusted = ""
    context.session = session
    if context.generation != generation {
      context.generation = generation
      events.append(.generation(id: String(generation.prefix(37)), token: String(generation.suffix(32))))
    }
    command.enter(.ready, now: now)
    if advisedRunID != server.runID { askForAdvice() }
    matchServers()
  }
}

extension PendingReply.Kind {
  /// For notices.
  var name: String {
    switch self {
    case .acknowledgement: "AUTH or SELECT"
    case .info: "INFO"
    case .script(let script): "script \(script)"
    case .boot: "the boot script"
    case .probe: "a probe"
    case .rehearsal: "a rehearsal"
    case .advice: "a question"
    case .request: "a request"
    }
  }
}

extension Reply {
  /// A script's SHA-1.
  fileprivate mutating func takeHash() throws(MalformedReply) -> String {
    let text = try takeString()
    guard text.utf8.count == 40, text.allSatisfy(\.isHexDigit) else { throw .unexpectedShape }
    return text
  }
}
