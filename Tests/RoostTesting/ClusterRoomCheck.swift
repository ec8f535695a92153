/// Compares what the members of a room heard: the promises of SPEC section 4, one to four of them.
///
/// Holds for one epoch and members who stay. Every member's own copies and acks together must be each offset once, in
/// order, from where it joined; and what stands at an offset must be the same for all.
public struct ClusterRoomCheck {
  /// Something somebody said.
  public struct Said: Sendable {
    public let client: Int
    public let room: String
    public let content: String

    public init(client: Int, room: String, content: String) {
      (self.client, self.room, self.content) = (client, room, content)
    }
  }

  /// Somebody in the room: a connection, its user, and what it heard there.
  public struct Member: Sendable {
    public var client: Int
    public var user: String
    public var heard: [ClusterClients.Heard]

    public init(client: Int, user: String, heard: [ClusterClients.Heard]) {
      (self.client, self.user, self.heard) = (client, user, heard)
    }
  }

  private struct Place: Equatable {
    var id: String
    var content: String
  }

  /// What is wrong, in words; empty when all promises were kept.
  public private(set) var violations: [String] = []
  private let room: String
  private let said: [Said]
  private var places: [Int: Place] = [:]

  /// - Parameter said: everything said in the room, in the order each client said it.
  public init(_ room: String, members: [Member], said: [Said]) {
    (self.room, self.said) = (room, said)
    for member in members { checkOrder(member) }
    checkCompleteness()
    checkSenders()
  }

  /// Offsets go up by one, and everybody sees the same at each.
  private mutating func checkOrder(_ who: Member) {
    let (member, user, heard) = (who.client, who.user, who.heard)
    guard case .joined(_, var position)? = heard.first(where: { if case .joined = $0 { true } else { false } }) else {
      return violate(member, "was never told that it is in the room")
    }
    let own = Set(said.lazy.filter { $0.client == member }.map(\.content))
    for item in heard {
      let (offset, place): (Int, Place)
      switch item {
      case .message(let number, let id, let sender, let content, let clientID):
        guard let number else { continue }
        (offset, place) = (number, Place(id: id, content: content))
        if own.contains(content) { violate(member, "got its own message \(content)") }
        if sender == user && clientID != content { violate(member, "got its user's \(content) without client_id") }
        if sender != user && clientID != nil { violate(member, "was told the client_id of a stranger") }
      case .ack(let number, let id, let clientID, let isDuplicate):
        (offset, place) = (number, Place(id: id, content: clientID))
        if isDuplicate { violate(member, "got an ack of \(clientID) that says it is a duplicate") }
        if !own.contains(clientID) { violate(member, "got an ack of \(clientID), which it never said") }
      case .joined, .userJoined, .userLeft, .resync: continue
      }
      if offset != position + 1 { violate(member, "hears \(offset) after \(position)") }
      position = offset
      if let other = places[offset], other != place { violate(member, "has \(place) at \(offset), not \(other)") }
      places[offset] = place
    }
    if position != said.count { violate(member, "is at \(position) of \(said.count)") }
  }

  /// What was said, and nothing else, stands at the offsets from 1 on.
  private mutating func checkCompleteness() {
    let stands = Set(places.values.map(\.content))
    let missing = Set(said.map(\.content)).subtracting(stands)
    if !missing.isEmpty { violations.append("\(room): \(missing.count) messages stand nowhere") }
    if places.count != said.count { violations.append("\(room): \(places.count) places for \(said.count) messages") }
    if Set(places.values.map(\.id)).count != places.count { violations.append("\(room): an id was given twice") }
  }

  /// One sender's messages keep the sender's order.
  private mutating func checkSenders() {
    let offsets = Dictionary(places.map { ($0.value.content, $0.key) }) { first, _ in first }
    var last: [Int: Int] = [:]
    for message in said {
      guard let offset = offsets[message.content] else { continue }
      if offset <= last[message.client, default: 0] { violate(message.client, "\(message.content) was overtaken") }
      last[message.client] = offset
    }
  }

  private mutating func violate(_ member: Int, _ what: String) {
    violations.append("\(room), client \(member) \(what)")
  }
}
