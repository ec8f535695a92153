import Buffers

// Questions of one node to all, and their answers
//
// Both are words with blanks between them: the question is the payload of a frame, the answer what stands behind
// `answer <request> <token> <node>` on the asking node's channel. They come from nodes of this cluster, and are read as
// strictly as if they did not.

/// What a node wants to know from all nodes, itself included.
enum NodeQuestion: Equatable, Sendable {
  /// How many connections the user has.
  case user(String)
  /// The first rooms, by name, behind `after`: one more than `limit`, if there are so many.
  case rooms(after: RoomName?, limit: Int)
  /// Who it is and how it is.
  case nodes
  /// The node with this whole name is to drain, and says so.
  case drain(String)

  var words: String {
    switch self {
    case .user: "user"
    case .nodes: "nodes"
    case .drain(let node): "drain \(node)"
    case .rooms(let after, let limit): "rooms \(limit)" + (after.map { " " + $0.text } ?? "")
    }
  }

  /// Whose connections are asked about.
  var user: String? { if case .user(let user) = self { user } else { nil } }

  init?(words text: String, user: String?) {
    let words = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
    switch (words.first, words.count) {
    case ("user", 1):
      guard let user else { return nil }
      self = .user(user)
    case ("nodes", 1): self = .nodes
    case ("drain", 2): self = .drain(words[1])
    case ("rooms", 2...3):
      guard let limit = Int(words[1]), 1...BackendWish.roomsLimit ~= limit else { return nil }
      let after = words.count == 3 ? RoomName(words[2]) : nil
      guard words.count == 2 || after != nil else { return nil }
      self = .rooms(after: after, limit: limit)
    default: return nil
    }
  }
}

/// What a node says to a ``NodeQuestion``.
enum NodeAnswer: Equatable, Sendable {
  case connections(Int)
  case rooms([RoomCount])
  case facts(NodeFacts)
  /// Whether it is the node that was to drain.
  case drains(Bool)

  var words: String {
    switch self {
    case .connections(let count): "\(count)"
    case .rooms(let rooms): rooms.map { "\($0.name.text) \($0.count)" }.joined(separator: " ")
    case .facts(let facts): facts.words
    case .drains(let isIt): isIt ? "yes" : "no"
    }
  }

  /// - Parameter node: who says it.
  init?(_ words: [Substring], to question: NodeQuestion, from node: String) {
    switch question {
    case .user:
      guard words.count == 1, let count = Self.number(words[0]) else { return nil }
      self = .connections(count)
    case .nodes:
      guard let facts = NodeFacts(node: node, words) else { return nil }
      self = .facts(facts)
    case .drain:
      guard words == ["yes"] || words == ["no"] else { return nil }
      self = .drains(words[0] == "yes")
    case .rooms(_, let limit):
      guard words.count % 2 == 0, words.count <= 2 * (limit + 1) else { return nil }
      var rooms: [RoomCount] = []
      for place in stride(from: 0, to: words.count, by: 2) {
        guard let name = RoomName(String(words[place])), let count = Self.number(words[place + 1]) else { return nil }
        rooms.append(RoomCount(name: name, count: count))
      }
      self = .rooms(rooms)
    }
  }

  static func number(_ word: Substring) -> Int? {
    Int(word).flatMap { 0...RelayLimits.highestNumber ~= $0 ? $0 : nil }
  }
}

/// What a node says about itself.
struct NodeFacts: Equatable, Sendable {
  enum State: String, Sendable { case ready, draining }

  let node: String
  var state: State
  var address: String
  var version: String
  var connections: Int
  var users: Int
  var rooms: Int
  var uptimeSeconds: Int
  /// How long ago its lease was renewed, in milliseconds.
  var leaseAge: Int
  /// What its clients sent, and backends through it, that the relay stored, since it started.
  var messages: Int

  var numbers: [(StaticString, Int)] {
    [
      ("connections", connections), ("users", users), ("rooms", rooms), ("uptime_seconds", uptimeSeconds),
      ("lease_age_ms", leaseAge), ("messages", messages),
    ]
  }

  var words: String {
    let texts = [state.rawValue, address, version].map { Self.word($0) }
    return (texts + numbers.map { "\($0.1)" }).joined(separator: " ")
  }

  /// Blanks would end the word, and an empty one would be none.
  private static func word(_ text: String) -> String {
    let word = String(text.map { $0 == " " ? "_" : $0 }.prefix(128))
    return word.isEmpty ? "-" : word
  }
}

extension NodeFacts {
  /// What `node` said.
  init?(node: String, _ words: [Substring]) {
    guard words.count == 9, let state = State(rawValue: String(words[0])),
      words[1].utf8.count <= 512, words[2].utf8.count <= 512
    else { return nil }
    let numbers = words[3...].compactMap { NodeAnswer.number($0) }
    guard numbers.count == 6 else { return nil }
    self.init(
      node: node, state: state, address: String(words[1]), version: String(words[2]), connections: numbers[0],
      users: numbers[1], rooms: numbers[2], uptimeSeconds: numbers[3], leaseAge: numbers[4], messages: numbers[5])
  }
}
