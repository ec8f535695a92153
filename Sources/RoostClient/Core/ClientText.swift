/// The messages that a client sends, as the protocol wants them.
enum ClientText {
  static func join(_ room: String, id: String, since: Position?, history: Int) -> [UInt8] {
    var payload = #"{"room_id":"\#(room)""#
    if let since {
      payload += #","since":{"epoch":\#(JSONText.quoted(since.epoch)),"offset":\#(since.offset)}"#
    }
    if history > 0 { payload += #","history":\#(history)"# }
    return text(#"{"type":"join_room","id":\#(JSONText.quoted(id)),"payload":\#(payload)}}"#)
  }

  static func ofRoom(_ type: String, _ room: String, id: String) -> [UInt8] {
    text(#"{"type":"\#(type)","id":\#(JSONText.quoted(id)),"payload":{"room_id":"\#(room)"}}"#)
  }

  static func history(_ room: String, limit: Int, before: Int?, id: String) -> [UInt8] {
    let before = before.map { #","before":\#($0)"# } ?? ""
    return text(
      #"{"type":"history","id":\#(JSONText.quoted(id)),"payload":{"room_id":"\#(room)","limit":\#(limit)\#(before)}}"#)
  }

  static func send(_ payload: JSONText, to room: String, id: String) -> [UInt8] {
    text(#"{"type":"send_message","room":"\#(room)","id":\#(JSONText.quoted(id)),"payload":\#(payload)}"#)
  }

  static func direct(_ payload: JSONText, to user: String, id: String) -> [UInt8] {
    let head = #"{"type":"private","recipient_id":\#(JSONText.quoted(user)),"id":\#(JSONText.quoted(id))"#
    return text(#"\#(head),"payload":\#(payload)}"#)
  }

  static func chat(_ payload: JSONText, id: String) -> [UInt8] {
    text(#"{"type":"chat","id":\#(JSONText.quoted(id)),"payload":\#(payload)}"#)
  }

  static func refresh(_ token: String, id: String) -> [UInt8] {
    text(#"{"type":"refresh_token","id":\#(JSONText.quoted(id)),"payload":{"token":\#(JSONText.quoted(token))}}"#)
  }

  static func typing(_ room: String, isTyping: Bool) -> [UInt8] {
    text(#"{"type":"\#(isTyping ? "typing" : "stop_typing")","room":"\#(room)"}"#)
  }

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }
}
