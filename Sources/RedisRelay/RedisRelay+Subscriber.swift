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
    roomChannels.lost()
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
      subscriber.enter(.settling, now: now)
      let rooms = roomChannels.begin()
      awaitedSubscriptions = 2 + rooms.count
      subscriber.outbound.appendCommand([
        "SUBSCRIBE", configuration.broadcastChannel, configuration.nodeChannel(configuration.nodeID),
      ])
      change("SUBSCRIBE", rooms)
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
      case "subscribe": try confirmSubscription(&reply)
      case "unsubscribe": break
      case "message": try takeMessage(&reply)
      default: throw .unexpectedShape
      }
    case .down, .connecting, .waiting: throw .unexpectedShape
    }
  }

  /// Those of a new connection come first, and together make it ready; every later one is a room's.
  private mutating func confirmSubscription(_ reply: inout Reply) throws(MalformedReply) {
    let channel = try reply.takeString()
    let isRoom = channel.hasPrefix(configuration.roomChannels)
    var room: RoomName?
    if isRoom {
      room = RoomName(String(channel.dropFirst(configuration.roomChannels.count)))
      guard let room, roomChannels.confirmed(room) else { throw .unexpectedShape }
    }
    guard awaitedSubscriptions > 0 else {
      guard let room else { throw .unexpectedShape }
      if roomChannels.isFollowed(room) { events.append(.followed(room)) }
      return
    }
    awaitedSubscriptions -= 1
    // With very many rooms it goes on for a while.
    if awaitedSubscriptions % Self.roomsPerCommand == 0 { subscriber.enter(.settling, now: now) }
    guard awaitedSubscriptions == 0 else { return }
    subscriber.enter(.ready, now: now)
    events.append(.resubscribed)
    establish()
  }

  // MARK: Rooms

  private static var roomsPerCommand: Int { 1_000 }

  /// Subscribes to what is followed since, and leaves what nobody came back to.
  mutating func tendRoomChannels() {
    roomChannels.tick(now: now)
    guard roomChannels.hasNews else { return }
    let (left, joined) = roomChannels.takeNews()
    change("UNSUBSCRIBE", left)
    change("SUBSCRIBE", joined)
  }

  private mutating func change(_ command: String, _ rooms: [RoomName]) {
    var rest = rooms[...]
    while !rest.isEmpty {
      let slice = rest.prefix(Self.roomsPerCommand)
      subscriber.outbound.appendCommand([command] + slice.map { configuration.roomChannels + $0.text })
      rest = rest.dropFirst(slice.count)
    }
  }

  // MARK: Frames

  private mutating func takeMessage(_ reply: inout Reply) throws(MalformedReply) {
    let channel = try reply.takeRange()
    let isDirected = reply.bytes[channel].elementsEqual(ownChannel)
    let range = try reply.takeRange()
    if isDirected, reply.bytes[range].starts(with: Self.probePrefix) {
      return takeProbe(reply.bytes[range])
    }
    frameBytes += range.count + 64
    guard frameBytes <= configuration.waitingFrameBytes else {
      hasDroppedFrames = true
      counters.droppedFrames += 1
      return
    }
    let frame = Array(reply.bytes[range])
    events.append(isDirected ? .directed(frame) : .frame(frame))
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
