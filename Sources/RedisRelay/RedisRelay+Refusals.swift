import RealtimeCore

/// What Redis answers with an error, and what is concluded from it.
extension RedisRelay {
  /// How often a refused relay asks whether messages would be accepted again, in milliseconds.
  private static var rehearsalInterval: Int64 { 500 }

  /// Redis answered a request with an error.
  mutating func failRequest(_ ticket: RelayTicket, _ shape: RequestShape, _ text: String) {
    switch text.prefix(while: { $0 != " " }) {
    case "FENCED": return events.append(.reply(ticket, .fenced))
    case "STALEGEN":
      events.append(.reply(ticket, .failed(.staleGeneration)))
      return bootAgain()
    default: break
    }
    let trouble = RelayTrouble(errorReply: text)
    switch trouble {
    case .scriptsLost, .oldSession:
      // Nothing ran, but a later request of the same room must not overtake: all that is on its way fails too.
      events.append(.reply(ticket, .failed(.outcomeUnknown)))
    default: events.append(.reply(ticket, .failed(.refused(trouble))))
    }
    refused(shape.subject(trouble), trouble, text)
  }

  /// Redis answered something of our own with an error.
  mutating func refused(_ kind: PendingReply.Kind, _ text: String) {
    let trouble = RelayTrouble(errorReply: text)
    switch kind {
    case .probe(let number) where !trouble.endsConnection:
      guard let since = liveness.refused(number) else { return }
      refused(.probing, trouble, text, since: since)
    case .rehearsal where text.hasPrefix("STALEGEN"): bootAgain()
    case .rehearsal: refused(.publishing, trouble, text)
    case .advice(let advice): notice(advice.ignorance(text))
    default:
      leave(distrusting: trouble)
      abandonCommand(trouble, "Redis refused \(kind.name): \(text)")
    }
  }

  /// The connection stays, or is given up, as the trouble demands.
  private mutating func refused(
    _ subject: Refusals.Subject, _ trouble: RelayTrouble, _ text: String, since: Int64? = nil
  ) {
    if trouble.endsConnection {
      leave(distrusting: trouble)
      return abandonCommand(trouble, trouble == .scriptsLost ? "Redis forgot the scripts" : describe(trouble, text))
    }
    let isNew = refusals.refused(subject, trouble, since: since, now: now)
    if subject == .publishing { rehearseAt = now + Self.rehearsalInterval }
    guard isNew else { return }
    if case .room(let room) = subject {
      notice("Redis refuses room \(room.text) alone [\(trouble.rawValue)]: \(text)")
    } else {
      tell(trouble, "Redis refuses: \(text)")
    }
  }

  private func describe(_ trouble: RelayTrouble, _ text: String) -> String {
    trouble == .oldSession ? "another connection took over node id \(configuration.nodeID)" : "Redis said \(text)"
  }

  /// Who became read-only has changed its role; what it took since then may not be on the master.
  private mutating func leave(distrusting trouble: RelayTrouble) {
    if trouble == .readOnly { distrusted = context.generation }
  }

  private mutating func bootAgain() {
    if command.phase == .ready { boot() }
  }

  /// Redis did what was asked.
  mutating func accepted(_ shape: RequestShape) {
    guard case .publish(let room, _) = shape else { return refusals.accepted(.request(shape.sort)) }
    refusals.accepted(.publishing)
    refusals.accepted(.room(room))
  }

  // MARK: Rehearsals

  var rehearsalDue: Int64? {
    command.phase == .ready && refusals.isRefused(.publishing) ? rehearseAt : nil
  }

  /// Nobody may be left who publishes, and a relay that is never asked would stay degraded for ever.
  mutating func rehearse() {
    guard let due = rehearsalDue, due <= now else { return }
    rehearseAt = now + Self.rehearsalInterval
    context.call(.publish, words: 1, into: &command.outbound)
    command.outbound.appendWord("-")
    expectReply(.rehearsal)
  }

  // MARK: Advice

  mutating func askForAdvice() {
    advisedRunID = server.runID
    for advice in ServerAdvice.allCases {
      command.outbound.appendCommand(advice.command)
      expectReply(.advice(advice))
    }
  }

  mutating func takeAdvice(_ advice: ServerAdvice, _ reply: inout Reply) {
    if let warning = advice.warning(reply.takeLastText()) { notice(warning) }
  }
}

extension Reply {
  /// The text, or the last one of a list; `nil` when there is none.
  fileprivate func takeLastText() -> String? {
    guard case .text(let range)? = items.last else { return nil }
    return String(decoding: bytes[range], as: UTF8.self)
  }
}
