import Buffers
import HTTPCore
import RealtimeCore
import Synchronization

extension ShardCore {
  /// Acts on the request at the front of what is left. False when it is not complete yet.
  ///
  /// - Parameter isLast: the connection closes after the answer.
  mutating func readRequest(_ slot: UInt32, _ input: RawSpan, at offset: inout Int, isLast: Bool) -> Bool {
    let bytes = input.extracting(offset..<input.byteCount)
    do {
      guard let head = try connections[slot].parser.parse(bytes, limits: rules.http) else {
        if connections[slot].flags.contains(.hasServed) { limitRequest(slot) }
        return false
      }
      offset += head.byteCount
      finish(slot)
      begin(head, slot)
      if isLast { connections[slot].flags.insert(.closesAfterAnswer) }
      route(slot, head, bytes)
    } catch {
      counters.mistakes &+= 1
      finish(slot)
      refused(.malformed)
      connections[slot].flags.insert(.closesAfterAnswer)
      answer(slot, .refusal(error))
    }
    return true
  }

  /// A connection that is kept open has its time for the next request from its first byte on.
  private mutating func limitRequest(_ slot: UInt32) {
    guard connections[slot].leftover.isEmpty, connections[slot].deadline > now.monotonic + rules.handshake else {
      return
    }
    connections[slot].deadline = now.monotonic + rules.handshake
    arm(slot, at: connections[slot].deadline)
  }

  private mutating func begin(_ head: RequestHead, _ slot: UInt32) {
    connections[slot].flags.subtract([.isHeadRequest, .closesAfterAnswer, .asksOnline, .isVerbose])
    if head.method == .head { connections[slot].flags.insert(.isHeadRequest) }
    if !head.keepAlive { connections[slot].flags.insert(.closesAfterAnswer) }
  }

  private mutating func route(_ slot: UInt32, _ head: RequestHead, _ bytes: RawSpan) {
    let isMain = !connections[slot].flags.contains(.isAdministrative)
    if isMain, let echoPath = rules.echoPath, head.text(head.path, in: bytes) == echoPath {
      return handshake(slot, head, bytes, isEcho: true)
    }
    if isMain, head.isPath("/ws", in: bytes) { return handshake(slot, head, bytes, isEcho: false) }
    let isServed = { [isSplit = rules.hasAdminPort] (place: Route.Place) in
      place == .both || !isSplit || (place == .mainPort) == isMain
    }
    let found = Route.find(head.method, head.array(head.path, in: bytes), isServed: isServed)
    guard !isMain || found.isUnlimited || mayAsk(slot, head, bytes) else {
      refused(.addressLimit)
      return answer(slot, .tooManyRequests(retryAfter: retryAfter()))
    }
    switch found {
    case .nothing: turnAway(slot, head, .error(.notFound, "not found", keepAlive: true))
    case .otherMethod(let allow): turnAway(slot, head, .methodNotAllowed(allow: allow, keepAlive: true))
    case .badName: turnAway(slot, head, .error(.badRequest, "bad name in the path", keepAlive: true))
    case .route(let route, let names): follow(route, names, slot, head, bytes)
    }
  }

  private mutating func follow(
    _ route: Route, _ names: [String], _ slot: UInt32, _ head: RequestHead, _ bytes: RawSpan
  ) {
    switch route.answer {
    case .page(let page): answer(slot, page.response(context, log, now: now.monotonic))
    case .asset(let asset): answer(slot, asset.response(to: head, in: bytes))
    case .development: answer(slot, .development(context))
    case .developmentToken: answer(slot, .developmentToken(context, head, bytes, now: now.wall / 1_000))
    case .online:
      let isVerbose = ((try? head.queryValue("verbose", in: bytes)) ?? nil) != nil
      askOnline(slot, isVerbose: isVerbose)
    case .call(let operation):
      noteCaller(slot, head, bytes)
      call(slot, operation, names, head, bytes)
    }
  }

  /// Answers a request whose body, if it has one, is not read: it must not be taken for the next request.
  mutating func turnAway(_ slot: UInt32, _ head: RequestHead, _ response: Response) {
    if head.bodyLength > 0 { connections[slot].flags.insert(.closesAfterAnswer) }
    answer(slot, response)
  }

  /// Answers the request and gets ready for the next one, or for the end.
  mutating func answer(_ slot: UInt32, _ response: Response) {
    var response = response
    let isDraining = context.isDraining.load(ordering: .relaxed)
    if isDraining || connections[slot].flags.contains(.closesAfterAnswer) { response.keepAlive = false }
    let isHead = connections[slot].flags.contains(.isHeadRequest)
    let unixSeconds = now.wall / 1_000
    outbox.reply(to: slot) { response.write(to: &$0, now: unixSeconds, headOnly: isHead) }
    connections[slot].flags.insert(.hasServed)
    if !calls.isEmpty { calls[slot] = nil }
    guard response.keepAlive, !connections[slot].flags.contains(.inputEnded) else { return endWhenSent(slot) }
    connections[slot].phase = .request
    connections[slot].deadline = now.monotonic + Int64(rules.patience.giveUpAfter) * 1_000
    arm(slot, at: connections[slot].deadline)
  }

  // MARK: /ws/online

  private mutating func askOnline(_ slot: UInt32, isVerbose: Bool) {
    connections[slot].flags.insert(.asksOnline)
    if isVerbose { connections[slot].flags.insert(.isVerbose) }
    awaitHub(slot)
    hubCommands.append(.askOnline(id(slot)))
  }

  /// What the client sends meanwhile is kept; the hub answers in time or is given up.
  mutating func awaitHub(_ slot: UInt32) {
    connections[slot].phase = .waiting
    connections[slot].deadline = now.monotonic + rules.write
    arm(slot, at: connections[slot].deadline)
  }

  mutating func answerOnline(_ id: ConnectionID, _ numbers: OnlineAnswer) {
    guard connections.contains(id.key), connections[id.slot].phase == .waiting,
      connections[id.slot].flags.contains(.asksOnline)
    else { return }
    let isVerbose = connections[id.slot].flags.contains(.isVerbose)
    answer(id.slot, .online(numbers, isVerbose: isVerbose))
    goOn(id.slot)
  }

  /// Reads again after a wait.
  mutating func goOn(_ slot: UInt32) {
    if !connections[slot].flags.contains(.inputEnded) { setReading(slot, true) }
    resume(slot)
  }

  /// Seconds after which a refused client may come again: spread, so that they do not all come at once.
  mutating func retryAfter() -> Int {
    retries = retries &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return 1 + Int(retries >> 33) % 5
  }
}
