/// What a node answers about one of its rooms.
struct RoomCount: Equatable {
  let name: RoomName
  /// Members over all nodes, as the node knows.
  let count: Int
}

/// One request to all nodes, while they answer.
struct Gathering {
  enum Purpose {
    /// A client's `private`: its ack says how many were reached.
    case ack(id: [UInt8])
    /// A backend closes the user's connections with these words.
    case closing(user: String, reason: String)
    /// A backend's message.
    case delivery
    /// Something a backend wants to know.
    case question(NodeQuestion)
  }

  /// Who is told.
  let asker: ConnectionID
  let purpose: Purpose
  /// Connections reached so far.
  var reached = 0
  var answered = 0
  /// How many must answer; `nil` until the relay told how many were handed the frame.
  var expected: Int?
  /// Nodes that answered a question, and what they said.
  private(set) var connections: [(node: String, connections: Int)] = []
  private(set) var nodes: [NodeFacts] = []
  private(set) var rooms: [RoomCount] = []
  /// The one node that was to drain, and does.
  private(set) var draining: String?
  private var heard: Set<String> = []

  init(asker: ConnectionID, purpose: Purpose) { (self.asker, self.purpose) = (asker, purpose) }

  /// Nothing that is still to come changes the answer.
  var isDecided: Bool { expected.map { answered >= $0 } ?? false || draining != nil }

  func hasHeard(_ node: String) -> Bool { heard.contains(node) }

  /// Takes a node's answer in, each node's once; false when it is none.
  mutating func take(_ answer: NodeAnswer, from node: String) -> Bool {
    guard case .question(let question) = purpose, heard.insert(node).inserted else { return false }
    switch (question, answer) {
    case (.user, .connections(let count)): connections.append((node, count))
    case (.nodes, .facts(let facts)): nodes.append(facts)
    case (.rooms(_, let limit), .rooms(let found)): merge(found, limit: limit)
    case (.drain, .drains(let isIt)): if isIt { draining = node }
    default: return false
    }
    answered += 1
    return true
  }

  /// Keeps one more than the asker wants, which says that there are more. A room of several nodes is one; who knows of
  /// the most members has heard the latest, mostly.
  private mutating func merge(_ found: [RoomCount], limit: Int) {
    var counts: [RoomName: Int] = [:]
    for room in rooms + found { counts[room.name] = max(room.count, counts[room.name] ?? 0) }
    let ordered = counts.sorted { $0.key.text < $1.key.text }
    rooms = ordered.prefix(limit + 1).map { RoomCount(name: $0.key, count: $0.value) }
  }
}

/// Requests to all nodes whose answers are gathered.
struct Gatherings {
  static let patience: Int64 = 500

  var waiting: [Int: Gathering] = [:]
  var timeouts = DelayQueue<Int>()
  private var last = 0

  /// Whether the connection waits for an answer.
  func owes(_ connection: ConnectionID) -> Bool { waiting.values.contains { $0.asker == connection } }

  /// Numbers what is about to be asked.
  mutating func begin(_ gathering: Gathering, now: Now) -> Int {
    last += 1
    waiting[last] = gathering
    timeouts.append(last, due: now.monotonic + Self.patience)
    return last
  }
}
