import RealtimeCore

/// One connection between a client and a node: both directions in order, each a little late.
final class ClientSession {
  let id: ConnectionID
  let world: World
  let node: SimulatedNode
  unowned let client: SimulatedClient
  let token: Int
  /// The node has ended it; the client may not know yet.
  private(set) var isEnded = false
  var userNumber: UserNumber = .max
  /// The node reads what the client says.
  var isHeard = true
  /// Texts of the node's turn, not sent yet.
  var outgoing: [Heard] = []
  private var isOpen = true
  private var lastAtNode: Int64 = 0
  private var lastAtClient: Int64 = 0

  init(id: ConnectionID, client: SimulatedClient, node: SimulatedNode, token: Int) {
    (self.id, self.client, self.node, self.token, world) = (id, client, node, token, node.world)
  }

  /// The client says something.
  func say(_ command: HubCommand) {
    lastAtNode = max(lastAtNode, world.clock.microseconds + Int64(world.dice.roll(40...600)))
    world.after(lastAtNode - world.clock.microseconds) { [node] in node.take(command, from: self) }
  }

  /// The client goes: what is on its way to it is lost.
  func close() {
    isOpen = false
    say(.disconnect(id, .lost))
  }

  /// The node is gone, or closed the connection: what it had sent still arrives.
  func lostByNode() {
    isEnded = true
    flush()
    arrive { $0.lost() }
  }

  /// Sends the texts of a turn.
  func flush() {
    guard !outgoing.isEmpty else { return }
    let texts = outgoing
    outgoing.removeAll()
    arrive { client in
      for text in texts where self.isOpen { client.hear(text) }
    }
  }

  private func arrive(_ what: @escaping (SimulatedClient) -> Void) {
    lastAtClient = max(lastAtClient, world.clock.microseconds + Int64(world.dice.roll(40...600)))
    world.after(lastAtClient - world.clock.microseconds) {
      if self.isOpen { what(self.client) }
    }
  }

  /// The client knows that the connection is over.
  func end() { isOpen = false }
}
