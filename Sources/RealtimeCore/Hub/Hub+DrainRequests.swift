// Somebody asks this node to see to it that a node drains: itself, or another one, which is told on its own channel and
// answers on ours.

/// Wishes whose nodes have not answered.
struct DrainRequests {
  static let patience: Int64 = 1_000

  fileprivate var waiting: [Int: (asker: ConnectionID, node: String)] = [:]
  fileprivate(set) var timeouts = DelayQueue<Int>()
  private var last = 0

  fileprivate mutating func begin(_ asker: ConnectionID, _ node: String, now: Now) -> Int {
    last += 1
    waiting[last] = (asker, node)
    timeouts.append(last, due: now.monotonic + Self.patience)
    return last
  }
}

/// A node's name in the cluster: the first ten characters of its node id, a hyphen and letters of this process alone.
public enum NodeName {
  /// Characters of the node id that are part of the name.
  public static let idLength = 10

  /// Whether somebody who writes `given` may mean the node: its whole name, or its node id.
  public static func may(_ given: String, mean name: String) -> Bool {
    guard given != name else { return true }
    guard let hyphen = name.lastIndex(of: "-") else { return false }
    return !given.isEmpty && name[..<hyphen] == given.prefix(idLength)
  }

  /// Those of `names` that `given` may mean: one that has exactly this name alone.
  public static func find(_ given: String, among names: [String]) -> [String] {
    if names.contains(given) { return [given] }
    return names.filter { may(given, mean: $0) }
  }
}

extension Hub {
  mutating func drainNode(_ asker: ConnectionID, _ given: String, now: Now) {
    var names = presence.nodes.map(\.name)
    // Without a relay nodes are called otherwise.
    if !names.contains(configuration.instance) { names.append(configuration.instance) }
    let found = NodeName.find(given, among: names)
    if found == [configuration.instance] {
      output.actions.append(.drain)
      return answer(asker, .begun(node: configuration.instance))
    }
    guard relayState == .connected else { return answer(asker, .noAnswer) }
    guard found.count < 2 else { return answer(asker, .severalNodes) }
    // A node that has just come is not among those we know, but listens under its whole name.
    let node = found.first ?? given
    guard Self.isChannelName(node) else { return answer(asker, .unknownNode) }
    let request = drainRequests.begin(asker, node, now: now)
    let words = "drain \(request) \(configuration.instance) \(generationToken)"
    ask(.send(node: node, Array(words.utf8)), .drain(request))
  }

  /// The relay handed the wish on: to nobody, when there is no such node.
  mutating func drainSent(_ request: Int, _ reply: RelayReply) {
    switch reply {
    case .sent(receivers: 0): finishDrain(request, .unknownNode)
    case .sent: break
    default: finishDrain(request, .noAnswer)
    }
  }

  /// Another node passes on that somebody wants this one to drain.
  mutating func drainWanted(by asker: String, _ request: Int) {
    // Alone, without Redis, everything comes back to who sent it: there is no other node.
    guard asker != configuration.instance else { return finishDrain(request, .unknownNode) }
    guard Self.isChannelName(asker) else { return }
    output.actions.append(.drain)
    let words = "drains \(request) \(configuration.instance) \(generationToken)"
    ask(.send(node: asker, Array(words.utf8)), .nothing)
  }

  /// The node does as it was told.
  mutating func drains(_ node: String, _ request: Int) {
    guard let waiting = drainRequests.waiting[request], waiting.node == node else { return }
    finishDrain(request, .begun(node: node))
  }

  mutating func tickDrainRequests(now: Now) {
    while let request = drainRequests.timeouts.popDue(now: now.monotonic) { finishDrain(request, .noAnswer) }
  }

  private mutating func finishDrain(_ request: Int, _ outcome: DrainAnswer) {
    guard let waiting = drainRequests.waiting.removeValue(forKey: request) else { return }
    answer(waiting.asker, outcome)
  }

  private mutating func answer(_ asker: ConnectionID, _ outcome: DrainAnswer) {
    output.actions.append(.backend(asker, .drain(outcome)))
  }

  /// Names come from strangers, too.
  private static func isChannelName(_ name: String) -> Bool {
    (1...HubConfiguration.nameBytes).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch UnicodeScalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
        default: false
        }
      }
  }
}
