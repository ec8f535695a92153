import Buffers

// A backend ends all connections of a user, wherever they are: a frame to all nodes, whose answers are gathered as
// those to a `private` are.

extension Hub {
  static var closeReasonBytes: Int { 123 }

  mutating func disconnectUser(_ asker: ConnectionID, _ user: String, reason: String, now: Now) {
    let reason = reason.cut(toBytes: Self.closeReasonBytes)
    guard relayState == .connected else { return closeHere(user, reason: reason, for: asker) }
    let request = gatherings.begin(
      Gathering(asker: asker, purpose: .closing(user: user, reason: reason)), now: now)
    let envelope = RelayEnvelope.disconnect(user, reason: reason, node: configuration.instance, scratch: &scratch)
    broadcast(envelope, version: request, .direct(request))
  }

  /// Other nodes cannot be told, or perhaps were not.
  mutating func closeHere(_ user: String, reason: String, for asker: ConnectionID) {
    let answer = BackendAnswer.disconnected(connections: closeAll(of: user, reason: reason), isPartial: true)
    output.actions.append(.backend(asker, answer))
  }

  /// A node asks for it.
  mutating func closeUser(_ frame: RelayFrame, _ bytes: RawSpan) {
    guard let user = frame.recipient else { return }
    let words = JSONString(value: frame.payload, in: bytes)?.text(in: bytes) ?? ""
    let count = closeAll(of: user, reason: words.cut(toBytes: Self.closeReasonBytes))
    answer(frame, bytes, reached: count)
  }

  /// Answers how many there are.
  private mutating func closeAll(of user: String, reason: String) -> Int {
    guard let number = localUser(user) else { return 0 }
    let connections = users[number].connections
    for connection in connections { output.actions.append(.close(connection, .disconnected(words: reason))) }
    return connections.count
  }
}

extension String {
  /// The longest beginning of at most so many UTF-8 bytes that ends between characters.
  fileprivate func cut(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var end = utf8.index(startIndex, offsetBy: limit)
    while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
    return String(self[..<end])
  }
}
