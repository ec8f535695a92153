import Buffers
import HTTPCore
import RealtimeCore
import Telemetry
import Tokens

// The HTTP API's way through a shard:
//
//     head ─► who calls? ─► what body? ─► (token revoked?) ─► body, in a buffer of the call's own ─► hub ─► answer
//
// Nothing of a body is kept for somebody who may not call.
extension ShardCore {
  /// Who calls.
  private enum Caller {
    case keyHolder
    case admin(TokenGrant)
  }

  /// Lets a call in, or turns it away.
  mutating func call(
    _ slot: UInt32, _ operation: APIOperation, _ names: [String], _ head: RequestHead, _ bytes: RawSpan
  ) {
    let caller: Caller
    do {
      caller = try self.caller(slot, head, bytes)
      try Self.checkBody(operation.body, head, bytes)
      calls[slot] = APICall(
        operation, names: names, parameters: try Self.parameters(operation, head, bytes), bodyBytes: head.bodyLength,
        expectsGoAhead: head.expectation(in: bytes) == .goAhead)
    } catch {
      refuse(slot, error)
      return turnAway(slot, head, error.response)
    }
    switch caller {
    case .keyHolder: begin(slot, isHere: bytes.byteCount - head.byteCount >= head.bodyLength)
    case .admin(let grant):
      awaitHub(slot)
      hubCommands.append(.checkToken(id(slot), grant))
    }
  }

  /// - Parameter isHere: the body has come with the head.
  private mutating func begin(_ slot: UInt32, isHere: Bool) {
    guard let call = calls[slot] else { return }
    guard !call.isComplete else { return perform(slot) }
    connections[slot].phase = .body
    connections[slot].deadline = min(connections[slot].deadline, now.monotonic + rules.handshake)
    arm(slot, at: connections[slot].deadline)
    if !isHere, call.expectsGoAhead { outbox.reply(to: slot) { Response.writeContinue(to: &$0) } }
  }

  /// False when more is needed.
  mutating func readBody(_ slot: UInt32, _ input: RawSpan, at offset: inout Int) -> Bool {
    offset += calls[slot]?.take(input.extracting(offset..<input.byteCount)) ?? 0
    guard calls[slot]?.isComplete == true else { return false }
    perform(slot)
    return true
  }

  // MARK: Who

  /// Holders of a key, and admins by their token.
  ///
  /// A right key always opens: others at the same address, who may be anybody behind one proxy, cannot lock its holder
  /// out. Everything else has a limit for each address, before a signature is looked at.
  private mutating func caller(_ slot: UInt32, _ head: RequestHead, _ bytes: RawSpan) throws(CallRefused) -> Caller {
    guard head.fields.occurrences(of: "authorization", in: bytes) < 2 else {
      throw CallRefused(.malformed, .error(.badRequest, "bad request"))
    }
    guard let range = head.bearerToken(in: bytes) else { throw CallRefused(.credentials, .authenticationRequired()) }
    let offered = head.array(range, in: bytes)
    if context.isAPIKey(offered) { return .keyHolder }
    let wait = context.authenticationWait(connections[slot].address)
    guard wait == 0 else {
      throw CallRefused(.tooManyAttempts, .tooManyRequests(retryAfter: (wait + 999) / 1_000))
    }
    let grant: TokenGrant
    let version = context.keys.version
    do throws(TokenError) { grant = try self.grant(of: offered) } catch {
      // A token that nobody can judge yet is not called bad.
      if error == .missingKeys || context.keys.mayBecomeGood(error, judgedBy: version, now: now.monotonic) {
        throw CallRefused(.noKeys, .unavailable("keys are being fetched", retryAfter: retryAfter()))
      }
      context.authenticationFailed(connections[slot].address)
      throw CallRefused(.credentials, .authenticationRequired())
    }
    guard grant.identity.isAdmin else {
      context.authenticationFailed(connections[slot].address)
      throw CallRefused(.notAdmin, .error(.forbidden, "admins only"))
    }
    return .admin(grant)
  }

  /// The hub's word on the token of an admin who calls.
  private mutating func tokenChecked(_ slot: UInt32, isRevoked: Bool) {
    guard isRevoked else { return begin(slot, isHere: false) }
    context.authenticationFailed(connections[slot].address)
    let refusal = CallRefused(.revoked, .authenticationRequired())
    refuse(slot, refusal)
    answer(slot, refusal.response)
  }

  func callRefused(_ reason: CallRefusalReason) { context.callRefusals.count(reason) }

  /// Counts, and tells the log, which holds back what comes too often.
  private func refuse(_ slot: UInt32, _ refusal: CallRefused) {
    callRefused(refusal.reason)
    let host = context.host(of: connections[slot].address)
    log.warning("api call refused", ["reason": .string(refusal.reason.word), "address": .string(host)])
  }

  // MARK: What

  /// The parser has refused what is too long or of unknown length.
  private static func checkBody(_ body: APIOperation.Body, _ head: RequestHead, _ bytes: RawSpan) throws(CallRefused) {
    guard head.bodyLength > 0 || body.isRequired else { return }
    guard head.announcesJSON(in: bytes) else {
      throw .malformed(.unsupportedMediaType, "the body must be application/json")
    }
    guard head.expectation(in: bytes) != .unknown else {
      throw .malformed(.expectationFailed, "unknown expectation")
    }
  }

  /// What the query says. As in bodies, nothing unknown is passed over.
  private static func parameters(
    _ operation: APIOperation, _ head: RequestHead, _ bytes: RawSpan
  ) throws(CallRefused) -> [String: String] {
    guard let range = head.query else { return [:] }
    var (query, found) = (Query(range), [String: String]())
    while let parameter = query.next(in: bytes) {
      guard let name = text(parameter.name, bytes), let value = text(parameter.value, bytes) else {
        throw .bad("the query is no text")
      }
      guard operation.parameters.contains(where: { $0.name == name }) else {
        throw .bad("the query has a parameter that is not known")
      }
      guard found.updateValue(value, forKey: name) == nil else { throw .bad("\(name) stands twice in the query") }
    }
    return found
  }

  private static func text(_ range: Range<Int>, _ bytes: RawSpan) -> String? {
    guard let decoded = try? percentDecoded(range, in: bytes, plusIsSpace: true) else { return nil }
    return String(validating: decoded, as: UTF8.self)
  }

  /// The call is complete: the hub does it, or this shard knows the answer.
  private mutating func perform(_ slot: UInt32) {
    guard let call = calls[slot] else { return }
    do throws(CallRefused) {
      guard let command = try command(slot, call) else { return answer(slot, localAnswer(call)) }
      calls[slot]?.forgetBody()
      awaitHub(slot)
      hubCommands.append(command)
    } catch {
      refuse(slot, error)
      answer(slot, error.response)
    }
  }

  /// What the hub is told; `nil`: the shard answers.
  private func command(_ slot: UInt32, _ call: APICall) throws(CallRefused) -> HubCommand? {
    let id = id(slot)
    switch call.operation.kind {
    case .revoke: return .revoke(id, [try call.revocation(now: now.wall / 1_000)])
    case .disconnectUser: return .disconnectUser(id, user: call.names[0], reason: try call.reason())
    case .drainNode: return .drainNode(id, node: try call.drainedNode())
    case .publish: return .serve(id, try call.publication())
    case .broadcast: return .serve(id, try call.broadcast())
    case .sendToUser: return .serve(id, try call.message())
    case .notifyUser: return .serve(id, try call.notification())
    case .rooms: return .serve(id, try call.roomsQuestion())
    case .room: return .serve(id, try call.roomQuestion())
    case .history: return .serve(id, try call.historyQuestion())
    case .user: return .serve(id, .user(call.names[0]))
    case .nodes: return .serve(id, .nodes)
    case .slow, .debug: return nil
    }
  }

  private func localAnswer(_ call: APICall) -> Response {
    call.operation.kind == .debug ? .json(context.debugText) : .slow(context)
  }

  /// The body did not come in time.
  mutating func bodyTimeout(_ slot: UInt32) {
    callRefused(.timeout)
    answer(slot, .requestTimeout())
  }

  // MARK: Answers

  /// The hub did what a backend asked for, or says why not.
  mutating func answerBackend(_ id: ConnectionID, _ answer: BackendAnswer) {
    guard connections.contains(id.key), connections[id.slot].phase == .waiting, calls[id.slot] != nil else { return }
    if case .token(let isRevoked) = answer {
      tokenChecked(id.slot, isRevoked: isRevoked)
    } else {
      if let reason = answer.refusal { callRefused(reason) }
      self.answer(id.slot, .backend(answer, retryAfter: retryAfter()))
    }
    goOn(id.slot)
  }
}
