import Buffers
import RealtimeCore

/// The presence of a cluster as the scripts keep it: one undo list per incarnation, one count per user and room, one
/// frame for each first and last. A node may be cut off from the frames, and all of it may be lost.
final class SharedRelay {
  private struct Room {
    var users: [String: (nodes: Int, name: String)] = [:]
    var version = 0
  }

  private struct Entry: Hashable {
    let room: RoomName
    let user: String
  }

  private(set) var generation = 1
  var token: String { "t\(generation)" }
  private var rooms: [RoomName: Room] = [:]
  private var undo: [String: Set<Entry>] = [:]
  private var leases: Set<String> = []
  private var scratch = ByteBuffer()
  private var now = Now(monotonic: 0, wall: 0)
  /// Frames that every subscriber gets, in order.
  private(set) var frames: [[UInt8]] = []
  private(set) var rosterQuestions = 0

  /// Everything is gone, as after a restart without persistence.
  func lose() {
    generation += 1
    (rooms, undo, leases, frames) = ([:], [:], [], [])
  }

  func forgetQuestions() { rosterQuestions = 0 }

  func takeFrames() -> [[UInt8]] {
    defer { frames = [] }
    return frames
  }

  func users(of room: RoomName) -> [String] { rooms[room, default: Room()].users.keys.sorted() }

  /// The leases of a process end and its undo lists are undone, all at once.
  func reap(ofInstance instance: String) {
    leases = leases.filter { !$0.hasPrefix(instance) }
    for incarnation in undo.keys.filter({ $0.hasPrefix(instance) }).sorted() {
      for entry in undo.removeValue(forKey: incarnation)!.sorted(by: { $0.user < $1.user }) { remove(entry) }
    }
  }

  func answer(_ request: RelayRequest, now: Now) -> RelayReply {
    self.now = now
    switch request {
    case .register(let incarnation, _, _):
      leases.insert(incarnation)
      return .alive(nodes: [NodeStanding("n")], expired: [])
    case .heartbeat(let incarnation, _, _):
      return leases.contains(incarnation) ? .alive(nodes: [NodeStanding("n")], expired: []) : .fenced
    case .countConnections(let incarnation, _): return leases.contains(incarnation) ? .presenceChanged : .fenced
    case .changePresence(let incarnation, let changes):
      guard leases.contains(incarnation) else { return .fenced }
      for change in changes { apply(change, incarnation) }
      return .presenceChanged
    case .countUsers(_, let users): return .counted(elsewhere: users.map { _ in 0 })
    case .depart(let incarnation, _):
      leases.remove(incarnation)
      return .presenceChanged
    case .roster(let name):
      rosterQuestions += 1
      return .roster(roster(name))
    case .read(let questions):
      let top = Position(epoch: "e\(generation)", offset: 0)
      return .read(
        questions.map { RoomRead(room: $0.room, known: $0.known, top: top, messages: [], isComplete: true) })
    case .broadcast(let frame), .tell(_, let frame):
      frames.append(frame)
      return .sent(receivers: 1)
    default: return .failed(.unavailable)
    }
  }

  private func roster(_ name: RoomName) -> Roster {
    let room = rooms[name, default: Room()]
    let users = room.users.sorted { $0.key < $1.key }
    let shown = users.count > RelayLimits.rosterFull ? RelayLimits.rosterNames : users.count
    return Roster(
      members: users.prefix(shown).map { Identity(user: $0.key, name: $0.value.name)! }, count: users.count,
      top: Position(epoch: "e\(generation)", offset: 0), version: room.version)
  }

  private func apply(_ change: PresenceChange, _ incarnation: String) {
    guard let name = change.room else { return }
    let entry = Entry(room: name, user: change.user)
    if !change.isJoin {
      if undo[incarnation]?.remove(entry) != nil { remove(entry) }
    } else if undo[incarnation, default: []].insert(entry).inserted {
      let nodes = rooms[name, default: Room()].users[change.user]?.nodes ?? 0
      rooms[name, default: Room()].users[change.user] = (nodes + 1, change.name)
      if nodes == 0, change.isAnnounced { announce(.userJoined, name, change.user, change.name) }
    }
  }

  private func remove(_ entry: Entry) {
    guard let held = rooms[entry.room]?.users[entry.user] else { return }
    rooms[entry.room]!.users[entry.user] = held.nodes > 1 ? (held.nodes - 1, held.name) : nil
    if held.nodes == 1 { announce(.userLeft, entry.room, entry.user, held.name) }
  }

  private func announce(_ kind: RelayFrame.Kind, _ name: RoomName, _ user: String, _ display: String) {
    rooms[name]!.version = max(rooms[name]!.version + 1, Int(now.monotonic) * 1_000)
    let envelope = RelayEnvelope.member(
      kind, room: name, user: Identity(user: user, name: display)!, timestamp: Timestamp(milliseconds: now.wall),
      node: "n", scratch: &scratch)
    scratch.removeAll()
    envelope.appendRelayFrame(
      to: &scratch, version: rooms[name]!.version, count: rooms[name]!.users.count, token: token)
    frames.append(scratch.array())
  }
}
