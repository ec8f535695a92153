import RealtimeCore
import Testing

@Suite struct WishTests {
  private let lobby = RoomName("lobby")!

  private func wish(_ fields: String) -> JoinWish? {
    let text = #"{"type":"join_room","payload":{"room_id":"lobby"\#(fields)}}"#
    guard case .joinRoom(_, let wish, _) = parse(text) else {
      return nil
    }
    return wish
  }

  @Test func `a join may name a position and a number of messages`() {
    #expect(wish("") == JoinWish())
    #expect(parse(#"{"type":"join_room","room":"lobby"}"#) == .joinRoom(lobby, JoinWish(), id: nil))
    let since = Position(epoch: "e-1", offset: 7)
    #expect(wish(#","since":{"epoch":"e-1","offset":7}"#) == JoinWish(since: since))
    #expect(wish(#","since":{"x":[],"offset":7,"epoch":"\u0065-1"},"history":3"#) == JoinWish(since: since, history: 3))
    #expect(wish(#","history":0,"since":null"#) == JoinWish())
    #expect(wish(#","history":101"#) == JoinWish(history: 100) && wish(#","history":100"#) == JoinWish(history: 100))
    let long = String(repeating: "e", count: 64)
    #expect(wish(#","since":{"epoch":"\#(long)","offset":0}"#) == JoinWish(since: Position(epoch: long, offset: 0)))
  }

  @Test(arguments: [
    #"{"since":5}"#, #"{"since":[]}"#, #"{"since":{}}"#, #"{"since":{"epoch":"e"}}"#, #"{"since":{"offset":1}}"#,
    #"{"since":{"epoch":"e","offset":-1}}"#, #"{"since":{"epoch":"e","offset":1.5}}"#,
    #"{"since":{"epoch":"e","offset":"1"}}"#, #"{"since":{"epoch":1,"offset":1}}"#,
    #"{"since":{"epoch":"e","epoch":"e","offset":1}}"#, #"{"history":-1}"#, #"{"history":1.5}"#, #"{"history":"5"}"#,
    #"{"history":99999999999999999999}"#, #"{"since":{"epoch":"e","offset":99999999999999999999}}"#,
    #"{"history":1,"history":2}"#,
    #"{"since":{"epoch":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee","offset":1}}"#,
  ])
  func `malformed wishes are refused`(payload: String) {
    let text = #"{"type":"join_room","room":"lobby","payload":\#(payload)}"#
    #expect(refusal(text)?.mistake == .invalidPayload)
  }

  @Test func `a new token is a string in the payload`() throws {
    let text = #"{"type":"refresh_token","id":"7","payload":{"token":"a.b.c","x":1}}"#
    guard case .refreshToken(let token, let id?) = parse(text) else { throw ClientMistake.invalidPayload }
    let bytes = Array(text.utf8)
    #expect(String(decoding: bytes[token], as: UTF8.self) == "a.b.c")
    #expect(String(decoding: bytes[id], as: UTF8.self) == "7")
    for payload in [
      "", #","payload":{}"#, #","payload":{"token":1}"#, #","payload":{"token":null}"#,
      #","payload":{"token":""}"#, #","payload":"a.b.c""#, #","payload":{"token":"a","token":"b"}"#,
    ] { #expect(refusal(#"{"type":"refresh_token"\#(payload)}"#)?.mistake == .invalidPayload) }
  }

  @Test func `history names a room, perhaps a limit and an end`() {
    func history(_ fields: String) -> ClientMessage? {
      parse(#"{"type":"history","payload":{"room_id":"lobby"\#(fields)}}"#)
    }
    #expect(parse(#"{"type":"history","room":"lobby"}"#) == .history(lobby, limit: 50, before: nil, id: nil))
    #expect(history("") == .history(lobby, limit: 50, before: nil, id: nil))
    #expect(history(#","limit":7,"before":9"#) == .history(lobby, limit: 7, before: 9, id: nil))
    #expect(history(#","limit":0"#) == .history(lobby, limit: 1, before: nil, id: nil))
    #expect(history(#","limit":1000,"before":null"#) == .history(lobby, limit: 100, before: nil, id: nil))
    for fields in [#","limit":-1"#, #","limit":"x""#, #","before":-1"#, #","before":{}"#] {
      #expect(refusal(#"{"type":"history","payload":{"room_id":"lobby"\#(fields)}}"#)?.mistake == .invalidPayload)
    }
    #expect(refusal(#"{"type":"history","payload":{}}"#)?.mistake == .invalidPayload)
  }
}
