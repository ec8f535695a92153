import EventLoops
public import LoadGenerator

/// All clients of a cluster test and everything they have heard, sorted by client and room.
public final class ClusterClients {
  /// What one client heard in one room, in the order of arrival.
  public enum Heard: Equatable, Sendable {
    /// It is in the room; the next numbered message has `offset + 1`.
    case joined(epoch: String, offset: Int)
    case message(offset: Int?, id: String, sender: String, content: String, clientID: String?)
    case ack(offset: Int, id: String, clientID: String, isDuplicate: Bool)
    case userJoined(String)
    case userLeft(String)
    case resync(epoch: String, offset: Int, reason: String)
  }

  public struct Client {
    public let user: String
    public let node: Int
    public var isOpen = false
    public var ending: Ending?
    /// When it ended, in milliseconds of the monotonic clock.
    public var endedAt: Int64?
    /// Who is in its rooms, as far as it was told.
    public var present: [String: Set<String>] = [:]
    public var rooms: [String: [Heard]] = [:]
    /// Codes of errors, by the client's own id of what went wrong.
    public var errors: [(id: String, code: String)] = []
  }

  public let swarm: Swarm
  public private(set) var clients: [Client] = []
  /// Messages that no test looks at, by type.
  public private(set) var others: [String: Int] = [:]
  public private(set) var unreadable: [String] = []

  public init(seed: UInt64) throws { swarm = try Swarm(seed: seed) }

  public struct Timeout: Error, CustomStringConvertible { public let description: String }

  /// Starts a connection and returns its number.
  @discardableResult
  public func open(_ endpoint: Endpoint, user: String, node: Int) async -> Int {
    clients.append(Client(user: user, node: node))
    return await swarm.open(endpoint)
  }

  public func join(_ client: Int, _ room: String) async {
    await swarm.send(#"{"type":"join_room","payload":{"room_id":"\#(room)"}}"#, from: client)
  }

  /// Says `content` under the client's own id, which is the content too.
  public func say(_ client: Int, _ room: String, _ content: String) async {
    await swarm.send([saying(client, room, content)])
  }

  public func saying(_ client: Int, _ room: String, _ content: String) -> (client: Int, text: String) {
    (client, #"{"type":"send_message","room":"\#(room)","id":"\#(content)","payload":{"content":"\#(content)"}}"#)
  }

  /// Listens until `isDone`, which is asked after each batch of news.
  ///
  /// Whoever was kept from listening until it was too late hears first what came meanwhile.
  public func listen(for what: String, seconds: Double = 60, until isDone: (ClusterClients) -> Bool) async throws {
    let deadline = monotonicMilliseconds() + Int64(seconds * 1_000)
    while !isDone(self) {
      let left = deadline - monotonicMilliseconds()
      let events = await swarm.events(within: Int(max(0, min(left, 200))))
      guard left > 0 || !events.isEmpty else { throw Timeout(description: "not within \(seconds) s: \(what)") }
      for event in events { note(event) }
    }
  }

  /// Listens for so long, whatever comes.
  public func listen(seconds: Double) async {
    let deadline = monotonicMilliseconds() + Int64(seconds * 1_000)
    while case let left = deadline - monotonicMilliseconds(), left > 0 {
      for event in await swarm.events(within: Int(left)) { note(event) }
    }
  }

  /// Waits until all of them are open.
  public func waitUntilOpen(seconds: Double = 60) async throws {
    do {
      try await listen(for: "all connections are open", seconds: seconds) { $0.clients.allSatisfy(\.isOpen) }
    } catch {
      let missing = clients.indices.filter { !clients[$0].isOpen }
      throw Timeout(
        description: "\(error); \(missing.count) are not, the first by \(clients[missing[0]].ending as Any)")
    }
  }

  public var areAllOpen: Bool { clients.allSatisfy(\.isOpen) }

  public func member(_ client: Int, of room: String) -> ClusterRoomCheck.Member {
    .init(client: client, user: clients[client].user, heard: heard(client, in: room))
  }

  public func heard(_ client: Int, in room: String) -> [Heard] { clients[client].rooms[room] ?? [] }

  /// How many of `clients` have heard something that `isIt` in `room`.
  public func count(in room: String, of clients: some Sequence<Int>, where isIt: (Heard) -> Bool) -> Int {
    clients.reduce(0) { $0 + (heard($1, in: room).contains(where: isIt) ? 1 : 0) }
  }

  private func note(_ event: SwarmEvent) {
    switch event.kind {
    case .opened: clients[event.client].isOpen = true
    case .ended(let ending):
      clients[event.client].isOpen = false
      clients[event.client].ending = ending
      clients[event.client].endedAt = event.time
    case .message(let bytes):
      do { note(try ClusterMessage(bytes), of: event.client) } catch {
        unreadable.append(String(decoding: bytes, as: UTF8.self))
      }
    }
  }

  private func note(_ message: ClusterMessage, of client: Int) {
    let payload = message.payload
    noteWhoIsThere(message, client)
    let heard: Heard
    switch message.type {
    case "room_info": heard = .joined(epoch: payload?.epoch ?? "", offset: payload?.offset ?? -1)
    case "new_message":
      heard = .message(
        offset: message.offset, id: message.id ?? "", sender: message.sender?.id ?? "", content: payload?.content ?? "",
        clientID: message.client_id)
    case "ack" where message.offset != nil:
      heard = .ack(
        offset: message.offset ?? 0, id: payload?.message_id ?? "", clientID: message.id ?? "",
        isDuplicate: payload?.dup ?? false)
    case "user_joined": heard = .userJoined(message.sender?.id ?? "")
    case "user_left": heard = .userLeft(message.sender?.id ?? "")
    case "resync":
      heard = .resync(epoch: payload?.epoch ?? "", offset: payload?.offset ?? -1, reason: payload?.reason ?? "")
    case "error":
      clients[client].errors.append((message.id ?? "", payload?.code ?? ""))
      return
    default:
      others[message.type, default: 0] += 1
      return
    }
    clients[client].rooms[message.roomName, default: []].append(heard)
  }

  private func noteWhoIsThere(_ message: ClusterMessage, _ client: Int) {
    let sender = message.sender?.id ?? ""
    switch message.type {
    case "room_info": clients[client].present[message.roomName] = Set((message.payload?.users ?? []).map(\.id))
    case "user_joined": clients[client].present[message.roomName, default: []].insert(sender)
    case "user_left": clients[client].present[message.roomName]?.remove(sender)
    default: break
    }
  }
}
