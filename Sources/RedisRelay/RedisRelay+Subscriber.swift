import RealtimeCore

/// The subscriber connection: AUTH and INFO, then SUBSCRIBE as soon as the command connection has booted on the same
/// server, then frames.
extension RedisRelay {
  mutating func subscriberReady(isReadable: Bool) {
    if subscriber.phase == .connecting {
      switch subscriber.finishConnecting() {
      case .lost(let trouble, let why): return abandonSubscriber(trouble, why)
      case .open: greetSubscriber()
      case nil: return
      }
    }
    guard isReadable, subscriber.isUp else { return }
    let outcome = subscriber.receive(into: &scratch)
    var reply = Reply()
    swap(&reply, &spareReply)
    do {
      while try subscriber.nextReply(into: &reply) { try takePushed(&reply) }
    } catch {
      abandonSubscriber(.nonsense, "Redis sent nonsense: \(error)")
    }
    swap(&reply, &spareReply)
    if case .lost(let trouble, let why) = outcome, subscriber.isUp { abandonSubscriber(trouble, why) }
  }

  /// Closes the connection. What is published until the next subscription is missed.
  mutating func abandonSubscriber(_ trouble: RelayTrouble, _ why: String, since: Int64? = nil) {
    lineTrouble = trouble
    counters.subscriberFailures += 1
    tell(trouble, "subscriber connection to \(configuration.server): \(why)")
    subscriber.close(now: now, pause: trouble.pause)
    liveness.stop()
    link.trouble(since: since ?? now)
  }

  /// Two connections to one name may end at two servers; then nothing that is published would come back.
  mutating func matchServers() {
    guard command.phase == .ready else { return }
    switch subscriber.phase {
    case .down, .connecting, .greeting: return
    case .waiting, .settling, .ready:
      guard server.runID == subscriberServer.runID else {
        let why = "the two connections reached different servers"
        abandonSubscriber(.differentServers, why)
        return abandonCommand(.differentServers, why)
      }
    }
    if subscriber.phase == .waiting {
      subscriptions = 0
      subscriber.enter(.settling, now: now)
      let channels = [configuration.broadcastChannel, configuration.nodeChannel(configuration.nodeID)]
      subscriber.outbound.appendCommand(["SUBSCRIBE"] + channels)
    }
    establish()
  }

  private mutating func greetSubscriber() {
    subscriber.enter(.greeting, now: now)
    subscriberServer = ServerInfo()
    let url = configuration.server
    if !url.password.isEmpty {
      subscriber.outbound.appendCommand(["AUTH"] + (url.user.isEmpty ? [] : [url.user]) + [url.password])
    }
    subscriber.outbound.appendCommand(["INFO", "server"])
  }

  private mutating func takePushed(_ reply: inout Reply) throws(MalformedReply) {
    if let error = reply.errorText {
      return abandonSubscriber(RelayTrouble(errorReply: error), "Redis refused: \(error)")
    }
    switch subscriber.phase {
    case .greeting:
      let text = try reply.takeString()
      if text == "OK" { return }  // AUTH
      subscriberServer.take(text)
      guard !subscriberServer.runID.isEmpty else { throw .unexpectedShape }
      subscriber.enter(.waiting, now: now)
      matchServers()
    case .settling, .ready:
      guard try reply.takeArray() == 3 else { throw .unexpectedShape }
      switch try reply.takeString() {
      case "subscribe": confirmSubscription()
      case "message": try takeMessage(&reply)
      default: throw .unexpectedShape
      }
    case .down, .connecting, .waiting: throw .unexpectedShape
    }
  }

  private mutating func confirmSubscription() {
    subscriptions += 1
    guard subscriptions == 2 else { return }
    subscriber.enter(.ready, now: now)
    events.append(.resubscribed)
    establish()
  }

  private mutating func takeMessage(_ reply: inout Reply) throws(MalformedReply) {
    let isBroadcast = try reply.takeString() == configuration.broadcastChannel
    let range = try reply.takeRange()
    if !isBroadcast, reply.bytes[range].starts(with: Self.probePrefix) {
      return takeProbe(reply.bytes[range])
    }
    frameBytes += range.count + 64
    guard frameBytes <= configuration.waitingFrameBytes else {
      hasDroppedFrames = true
      counters.droppedFrames += 1
      return
    }
    let frame = Array(reply.bytes[range])
    events.append(isBroadcast ? .frame(frame) : .directed(frame))
  }

  private mutating func takeProbe(_ bytes: ArraySlice<UInt8>) {
    guard bytes.starts(with: probeMark),
      let number = Int(String(decoding: bytes.dropFirst(probeMark.count), as: UTF8.self)), liveness.seen(number)
    else { return }
    if link.probeSeen() { lineTrouble = nil }
    refusals.accepted(.probing)
    command.proved()
    subscriber.proved()
  }

  private static var probePrefix: [UInt8] { Array("probe ".utf8) }
}
