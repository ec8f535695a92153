import Buffers
import RealtimeCore
import Testing

@Suite struct NamesTests {
  @Test(arguments: ["a", "general", "A-Z_0.9:x", String(repeating: "r", count: 128)])
  func `room names`(name: String) {
    let room = RoomName(name)
    #expect(room?.text == name)
    let quoted = bytes("\"\(name)\"")
    let read = unsafe RoomName(quoted.span.bytes, 1..<quoted.count - 1)
    #expect(read == room)
  }

  @Test(arguments: [
    "", " ", "a b", "a|b", "a\u{1F}b", "{a}", "a/b", "größe", "a\u{202E}b", "a\u{0}", "a\"", "a\\",
    String(repeating: "r", count: 129),
  ])
  func `not room names`(name: String) {
    #expect(RoomName(name) == nil)
    let raw = bytes(name)
    let read = unsafe RoomName(raw.span.bytes, raw.indices)
    #expect(read == nil)
  }

  @Test func `a connection id holds its three parts`() {
    let id = ConnectionID(shard: 0xAB, generation: 0x1_23_45_67, slot: 0x89AB_CDEF)
    #expect(id.rawValue == 0xAB23_4567_89AB_CDEF)
    #expect(id.shard == 0xAB && id.generation == 0x23_45_67 && id.slot == 0x89AB_CDEF)
    #expect(written { id.appendHex(to: &$0) } == "ab23456789abcdef")
    #expect(written { ConnectionID(rawValue: 10).appendHex(to: &$0) } == "000000000000000a")
  }

  @Test func `an empty name becomes the user id`() {
    #expect(Identity(user: "ann")?.name == "ann")
    #expect(Identity(user: "ann", name: "Ann", isAdmin: true)?.name == "Ann")
    #expect(Identity(user: "") == nil)
    #expect(Identity(user: String(repeating: "é", count: 64)) != nil)
    #expect(Identity(user: String(repeating: "é", count: 65)) == nil)
  }

  @Test func `a message id is incarnation and counter`() {
    #expect(written { MessageID(incarnation: "n1x", counter: .max).append(to: &$0) } == "n1x-18446744073709551615")
  }
}
