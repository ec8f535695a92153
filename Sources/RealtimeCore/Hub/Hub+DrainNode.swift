/// A node's name in the cluster: the last ten characters of its node id, a hyphen and letters of this process alone.
/// The last ones, because what several have in common stands in front: `web-8080`, `roost-6d4cf56db6-x7k2p`.
public enum NodeName {
  /// Characters of the node id that are part of the name.
  public static let idLength = 10

  /// Whether somebody who writes `given` may mean the node: its whole name, or its node id.
  public static func may(_ given: String, mean name: String) -> Bool {
    guard given != name else { return true }
    guard let hyphen = name.lastIndex(of: "-") else { return false }
    return !given.isEmpty && name[..<hyphen] == given.suffix(idLength)
  }

  /// Those of `names` that `given` may mean: one that has exactly this name alone.
  public static func find(_ given: String, among names: [String]) -> [String] {
    if names.contains(given) { return [given] }
    return names.filter { may(given, mean: $0) }
  }

  /// Whether a node can be called so.
  static func isPossible(_ name: String) -> Bool {
    (1...HubConfiguration.nameBytes).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch UnicodeScalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
        default: false
        }
      }
  }
}

extension Hub {
  /// A backend asks this node to see to it that a node drains: itself, or another one, which hears of it as all do.
  mutating func drainNode(_ asker: ConnectionID, _ given: String, now: Now) {
    var names = presence.nodes.map(\.name)
    // Before the first heartbeat.
    if !names.contains(configuration.instance) { names.append(configuration.instance) }
    let found = NodeName.find(given, among: names)
    if found == [configuration.instance] {
      output.actions.append(.drain)
      return answer(asker, .drain(.begun(node: configuration.instance)))
    }
    guard found.count < 2 else { return answer(asker, .drain(.severalNodes)) }
    // A node that has just come is not among those we know, but knows its whole name.
    let node = found.first ?? given
    guard NodeName.isPossible(node) else { return answer(asker, .drain(.unknownNode)) }
    guard relayState == .connected else { return answer(asker, .drain(.noAnswer)) }
    askNodes(.drain(node), for: asker, now: now)
  }
}
