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
  mutating func call(_ slot: UInt32, _ kind: APICall.Kind, _ names: [String], _ head: RequestHead, _ bytes: RawSpan) {
    let caller: Caller
    do {
      caller = try self.caller(slot, head, bytes)
      try Self.checkBody(kind.body, head, bytes)
    } catch {
      refuse(slot, error)
      return turnAway(slot, head, error.response)
    }
    calls[slot] = APICall(
      kind, names: names, bodyBytes: head.bodyLength, expectsGoAhead: head.expectation(in: bytes) == .goAhead)
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
    if context.apiKeys.contains(offered) { return .keyHolder }
    let wait = context.authenticationWait(connections[slot].address)
    guard wait == 0 else {
      throw CallRefused(.tooManyAttempts, .tooManyRequests(retryAfter: (wait + 999) / 1_000))
    }
    let grant: TokenGrant
    do throws(TokenError) { grant = try self.grant(of: offered) } catch {
      // A token that nobody can judge yet is not called bad.
      if error == .missingKeys || context.keys.mayBecomeGood(error, now: now.monotonic) {
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
  private static func checkBody(_ body: APICall.Body, _ head: RequestHead, _ bytes: RawSpan) throws(CallRefused) {
    guard head.bodyLength > 0 || body == .required else { return }
    guard head.announcesJSON(in: bytes) else {
      throw .malformed(.unsupportedMediaType, "the body must be application/json")
    }
    guard head.expectation(in: bytes) != .unknown else {
      throw .malformed(.expectationFailed, "unknown expectation")
    }
  }

  private mutating func perform(_ slot: UInt32) {
    guard let call = calls[slot] else { return }
    let command: HubCommand
    do throws(CallRefused) {
      switch call.kind {
      case .revoke: command = .revoke(id(slot), [try call.revocation(now: now.wall / 1_000)])
      case .disconnectUser: command = .disconnectUser(id(slot), user: call.names[0], reason: try call.reason())
      case .drainNode: command = .drainNode(id(slot), node: try call.drainedNode())
      }
    } catch {
      refuse(slot, error)
      return answer(slot, error.response)
    }
    calls[slot]?.forgetBody()
    awaitHub(slot)
    hubCommands.append(command)
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
      self.answer(id.slot, .backend(answer, retryAfter: retryAfter()))
    }
    goOn(id.slot)
  }
}
