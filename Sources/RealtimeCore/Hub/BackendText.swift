import Buffers

/// The JSON objects that answer backends' questions.
enum BackendText {
  /// `nil`: the relay knows nothing of the room.
  static func room(_ name: RoomName, _ roster: Roster?) -> [UInt8] {
    var text = ByteBuffer()
    text.open(name)
    text.append(#","count":"#)
    text.append(decimal: roster?.count ?? 0)
    text.append(#","members":"#)
    text.append(listOf: roster?.members ?? []) { $1.append(user: $0) }
    if let top = roster?.top {
      text.append(#","epoch":"#)
      text.append(jsonString: top.epoch)
      text.appendMember(offset: top.offset)
    }
    text.append(UInt8(ascii: "}"))
    return text.array()
  }

  /// Messages as members got them; what came from a backend carries the id that it gave.
  static func history(_ name: RoomName, epoch: String?, _ messages: ArraySlice<PastMessage>) -> [UInt8] {
    let replay = Replay(messages: messages, user: StoredMessage.backend)
    var text = ByteBuffer()
    text.open(name)
    if let epoch {
      text.append(#","epoch":"#)
      text.append(jsonString: epoch)
    }
    text.append(#","messages":"#)
    text.append(listOf: messages) { replay.append($0, to: &$1) }
    text.append(UInt8(ascii: "}"))
    return text.array()
  }

  /// - Parameter next: where to go on, when there is more.
  static func rooms(_ rooms: [RoomCount], next: RoomName?, isPartial: Bool) -> [UInt8] {
    var text = ByteBuffer()
    text.append(#"{"rooms":"#)
    text.append(listOf: rooms) { room, text in
      text.open(room.name)
      text.append(#","count":"#)
      text.append(decimal: room.count)
      text.append(UInt8(ascii: "}"))
    }
    if let next {
      text.append(#","next":""#)
      text.append(next.text)
      text.append(UInt8(ascii: "\""))
    }
    text.close(isPartial: isPartial)
    return text.array()
  }

  static func user(_ user: String, _ nodes: [(node: String, connections: Int)], isPartial: Bool) -> [UInt8] {
    let total = nodes.reduce(0) { $0 + $1.connections }
    var text = ByteBuffer()
    text.append(#"{"user":"#)
    text.append(jsonString: user)
    text.append(total > 0 ? #","online":true,"connections":"# : #","online":false,"connections":"#)
    text.append(decimal: total)
    text.append(#","nodes":"#)
    text.append(listOf: nodes) { node, text in
      text.append(#"{"node":"#)
      text.append(jsonString: node.node)
      text.append(#","connections":"#)
      text.append(decimal: node.connections)
      text.append(UInt8(ascii: "}"))
    }
    text.close(isPartial: isPartial)
    return text.array()
  }

  /// - Parameter silent: nodes with a lease that did not answer.
  static func nodes(_ nodes: [NodeFacts], silent: [String], isPartial: Bool) -> [UInt8] {
    var text = ByteBuffer()
    text.append(#"{"nodes":["#)
    for (place, node) in nodes.enumerated() {
      if place > 0 { text.append(UInt8(ascii: ",")) }
      text.append(node)
    }
    for (place, name) in silent.enumerated() {
      text.append(place > 0 || !nodes.isEmpty ? #",{"node":"# : #"{"node":"#)
      text.append(jsonString: name)
      text.append(#","state":"silent"}"#)
    }
    text.append(UInt8(ascii: "]"))
    text.close(isPartial: isPartial)
    return text.array()
  }
}

extension ByteBuffer {
  /// `{"room":"…"`
  fileprivate mutating func open(_ room: RoomName) {
    append(#"{"room":""#)
    append(room.text)
    append(UInt8(ascii: "\""))
  }

  fileprivate mutating func close(isPartial: Bool) { append(isPartial ? #","partial":true}"# : "}") }

  fileprivate mutating func append<Element>(
    listOf elements: some Collection<Element>, _ write: (Element, inout ByteBuffer) -> Void
  ) {
    append(UInt8(ascii: "["))
    for (place, element) in elements.enumerated() {
      if place > 0 { append(UInt8(ascii: ",")) }
      write(element, &self)
    }
    append(UInt8(ascii: "]"))
  }

  fileprivate mutating func append(_ facts: NodeFacts) {
    append(#"{"node":"#)
    append(jsonString: facts.node)
    append(#","state":""#)
    append(facts.state.rawValue)
    append(#"","address":"#)
    append(jsonString: facts.address)
    append(#","version":"#)
    append(jsonString: facts.version)
    for (name, number) in facts.numbers {
      append(#",""#)
      append(name)
      append(#"":"#)
      append(decimal: number)
    }
    append(UInt8(ascii: "}"))
  }
}
