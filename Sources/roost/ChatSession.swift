import Glibc
import RoostClient

/// One person, or program, that talks and listens.
struct ChatSession: Sendable {
  let client: RoostClient
  let screen: ChatScreen
  let isRaw: Bool
  /// Nothing is read and said.
  let listensOnly: Bool
  /// Those that were joined, in this order.
  private var rooms: [String] = []
  private var room: String?
  /// Something could not be said.
  private var hasFailed = false

  init(_ client: RoostClient, _ screen: ChatScreen, isRaw: Bool, listensOnly: Bool) {
    (self.client, self.screen, self.isRaw, self.listensOnly) = (client, screen, isRaw, listensOnly)
  }

  /// Until the end of the input, or of the connection. The answer is the exit code.
  mutating func run(in rooms: [String], history: Int) async -> CInt {
    do {
      try await client.connect()
      for room in rooms { try await join(room, history: history) }
    } catch {
      screen.complain("\(error)")
      return 1
    }
    let (client, screen, exits) = (client, screen, !listensOnly)
    async let listening = Self.listen(to: client, screen, exits: exits)
    if listensOnly { return await listening }
    await talk()
    screen.askNoMore()
    await client.disconnect()
    _ = await listening
    return hasFailed ? 1 : 0
  }

  // MARK: Talking

  private mutating func talk() async {
    guard screen.isInteractive else {
      while let line = await InputLines.next() { guard await take(line) else { return } }
      return
    }
    let keys = ChatKeys(screen)
    screen.ask(in: room)
    while let input = await keys.next() {
      switch input {
      case .typing(let isTyping): if let room { await client.typing(in: room, isTyping: isTyping) }
      case .line(let line):
        guard await take(line) else { return }
        screen.ask(in: room)
      }
    }
  }

  /// False when nothing more is to be said.
  private mutating func take(_ line: String) async -> Bool {
    let line = ChatLine(line, isRaw: isRaw)
    if line == .quit { return false }
    do {
      try await obey(line)
    } catch {
      hasFailed = true
      screen.complain("\(error)")
    }
    return true
  }

  private mutating func obey(_ line: ChatLine) async throws(ClientError) {
    switch line {
    case .say(let text):
      guard let room else { throw .invalid("you are in no room: /join ROOM") }
      screen.show(try await client.sendMessage(text, to: room))
    case .join(let room): try await join(room, history: 0)
    case .leave(let name):
      guard let name = name ?? room else { throw .invalid("you are in no room") }
      try await client.leaveRoom(name)
      rooms.removeAll { $0 == name }
      if room == name { room = rooms.last }
      screen.notice("you left \(name)")
    case .turn(let name):
      guard rooms.contains(name) else { throw .invalid("you are not in \(name): /join \(name)") }
      room = name
    case .rooms: screen.explain(rooms.isEmpty ? "none" : rooms.joined(separator: " "))
    case .who(let name):
      guard let name = name ?? room else { throw .invalid("which room? /who ROOM") }
      screen.show(try await client.onlineUsers(name))
    case .history(let count):
      guard let room else { throw .invalid("you are in no room: /join ROOM") }
      for message in try await client.history(room, limit: count).messages { screen.show(message) }
    case .tell(let user, let text):
      if try await client.sendPrivate(text, to: user).recipients == 0 { screen.notice("\(user) is not here") }
    case .help: screen.explain(ChatLine.explanation)
    case .quit, .nothing: break
    case .mistake(let text): throw .invalid(text)
    }
  }

  private mutating func join(_ name: String, history: Int) async throws(ClientError) {
    let info = try await client.joinRoom(name, history: history)
    if !rooms.contains(name) { rooms.append(name) }
    room = name
    screen.show("joined", room: name, nil, "you are in \(name): \(info.count) here")
  }

  // MARK: Listening

  /// - Parameter exits: ends the process when the connection ends for good, because nobody can end the wait for input.
  private static func listen(to client: RoostClient, _ screen: ChatScreen, exits: Bool) async -> CInt {
    var wasLost = false
    for await event in client.events {
      if case .connection(.ended(let error)) = event {
        guard let error else { return 0 }
        screen.complain("\(error)")
        if exits {
          screen.askNoMore()
          screen.end()
          exit(1)
        }
        return 1
      }
      show(event, screen)
      // That it has begun is said by the first room.
      if case .connection(.open) = event, wasLost { screen.notice("connected again") }
      if case .connection(let state) = event { wasLost = state != .open }
    }
    return 0
  }

  private static func show(_ event: ClientEvent, _ screen: ChatScreen) {
    switch event {
    case .message(let message): screen.show(message)
    case .direct(let message): screen.show(message, "private")
    case .chat(let message): screen.show(message, "chat")
    case .notification(let title, let body): screen.show("notification", room: nil, nil, "\(title): \(body)")
    case .userJoined(let room, let user): screen.show("user_joined", room: room, user, "\(user.name) came into \(room)")
    case .userLeft(let room, let user): screen.show("user_left", room: room, user, "\(user.name) left \(room)")
    case .userCount(let room, let count): screen.show("presence_sync", room: room, nil, "\(count) are in \(room)")
    case .typing(let room, let user, let isTyping): screen.type(user, in: room, isTyping: isTyping)
    case .missed(let room, let reason, _):
      screen.show("missed", room: room, nil, "messages of \(room) are lost to you (\(reason))")
    case .expelled(let room, let error):
      let reason = error.map { ": \($0)" } ?? ""
      screen.show("expelled", room: room, nil, "you are no longer in \(room)\(reason)")
    case .connection(.waiting(let reason, _)):
      screen.forgetTypists()
      screen.notice("\(reason); trying again")
    case .relay(let isDegraded):
      screen.notice(isDegraded ? "messages cannot be delivered for the moment" : "messages are delivered again")
    case .draining: screen.notice("this node stops; moving to another")
    case .tokenExpiring(let end): screen.notice("your token ends at \(end)")
    case .refusal(let error): screen.complain("\(error)")
    case .skipped(let count): screen.notice("\(count) events were left out")
    case .connection(.open), .connection(.ended), .rejoined, .other: break
    }
  }
}
