import EventLoops
import Glibc
import RoostClient

/// Messages for one room, each until it is stored.
struct Publishing {
  let caller: APICaller
  let room: String
  let sender: JSONText?
  let isJSON: Bool
  private static let attempts = 5

  mutating func publish(_ payload: JSONText, id: String) throws(APICaller.Failure) {
    var body = [
      "\"room\":\(JSONText(string: room))", "\"id\":\(JSONText(string: id))", "\"payload\":\(payload)",
    ]
    if let sender { body.append("\"sender\":\(sender)") }
    guard let json = JSONText("{\(body.joined(separator: ","))}") else {
      throw APICaller.Failure(description: "the message is nested too deeply")
    }
    show(try send(json))
  }

  /// Again and again under the same id, as long as nobody knows what became of it.
  private func send(_ body: JSONText) throws(APICaller.Failure) -> JSONText {
    var attempt = 1
    while true {
      do {
        return try caller.post("/api/publish", body)
      } catch {
        guard let wait = error.retryAfter, attempt < Self.attempts else { throw error }
        usleep(UInt32(min(wait, 30_000)) * 1_000)
        attempt += 1
      }
    }
  }

  private func show(_ answer: JSONText) {
    if isJSON { return Console.print(Terminal.harmlessJSON("\(answer)")) }
    let id = answer["message_id"]?.string ?? ""
    let words = [answer["offset"]?.description ?? "", id, answer["dup"]?.flag == true ? "dup" : ""]
    Console.print(Terminal.harmless(words.filter { !$0.isEmpty }.joined(separator: " ")))
  }
}
