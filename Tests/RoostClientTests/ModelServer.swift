@testable import RoostClient

/// A room as a server keeps it, with one connection to the client that is tested, and other people who talk.
struct ModelServer {
  struct Entry {
    let offset: Int
    let content: String
    /// Of the client that is tested; `nil`: somebody else's.
    let clientID: String?
    var id: String { "s-\(offset)" }
  }

  var epoch = "e1"
  var log: [Entry] = []
  var isMember = false
  /// On its way to the client, in order.
  var outgoing: [String] = []
  /// How many messages a returning client may have missed.
  var recovery = 300
  /// Of a hundred messages so many are refused, and so many stored although the client is told that nobody knows.
  var limited = 0
  var unknown = 0
  private(set) var messagesReceived = 0

  mutating func connected() { (isMember, outgoing) = (false, []) }

  mutating func others(say content: String) { store(content, nil) }

  mutating func received(_ bytes: [UInt8], chance: Int) {
    guard let json = JSONText(bytes), let id = json["id"]?.string else { return }
    let payload = json["payload"]
    switch json["type"]?.string {
    case "join_room": join(id, payload?["since"])
    case "send_message":
      messagesReceived += 1
      send(id, payload?["content"]?.string ?? "", chance)
    case "leave_room":
      isMember = false
      outgoing.append(#"{"type":"ack","room":"r","id":"\#(id)"}"#)
    case "history", "online_users":
      let head = #"{"type":"\#(json["type"]?.string ?? "")","room":"r","id":"\#(id)""#
      outgoing.append(#"\#(head),"payload":{"epoch":"\#(epoch)","messages":[],"users":[],"count":0}}"#)
    case "private": outgoing.append(#"{"type":"ack","id":"\#(id)","payload":{"recipients":1}}"#)
    default: break
    }
  }

  private mutating func join(_ id: String, _ since: JSONText?) {
    isMember = true
    var offset = log.count
    var recovered = ""
    if let since {
      let asked = since["offset"]?.integer ?? 0
      let isGood = since["epoch"]?.string == epoch && log.count - asked <= recovery
      recovered = isGood ? #","recovered":true"# : #","recovered":false,"reason":"too_far""#
      if isGood { offset = asked }
    }
    let standing = #""epoch":"\#(epoch)","offset":\#(offset)\#(recovered)"#
    outgoing.append(
      #"{"type":"room_info","room":"r","id":"\#(id)","payload":{"room_id":"r","users":[],"count":1,\#(standing)}}"#)
    for entry in log[offset...] { outgoing.append(text(entry)) }
  }

  private mutating func send(_ id: String, _ content: String, _ chance: Int) {
    if chance < limited { return error("RATE_LIMITED", id, 5) }
    guard isMember else { return error("NOT_IN_ROOM", id, nil) }
    if let known = log.first(where: { $0.clientID == id }) {
      acknowledge(id, known.offset, #""dup":true"#)
    } else if chance >= 100 - unknown {
      store(content, id)
      error("RELAY_UNAVAILABLE", id, 5)
    } else {
      log.append(Entry(offset: log.count + 1, content: content, clientID: id))
      acknowledge(id, log.count, #""message_id":"s-\#(log.count)""#)
    }
  }

  private mutating func acknowledge(_ id: String, _ offset: Int, _ more: String) {
    outgoing.append(
      #"{"type":"ack","room":"r","id":"\#(id)","offset":\#(offset),"payload":{"epoch":"\#(epoch)",\#(more)}}"#)
  }

  private mutating func error(_ code: String, _ id: String, _ wait: Int?) {
    let wait = wait.map { #","retry_after_ms":\#($0)"# } ?? ""
    outgoing.append(#"{"type":"error","id":"\#(id)","payload":{"code":"\#(code)","message":""\#(wait)}}"#)
  }

  private mutating func store(_ content: String, _ id: String?) {
    let entry = Entry(offset: log.count + 1, content: content, clientID: id)
    log.append(entry)
    if isMember { outgoing.append(text(entry)) }
  }

  private func text(_ entry: Entry) -> String {
    let client = entry.clientID.map { #","client_id":"\#($0)""# } ?? ""
    let head = #"{"type":"new_message","room":"r","id":"\#(entry.id)","offset":\#(entry.offset)"#
    return #"\#(head),"payload":{"content":"\#(entry.content)"}\#(client)}"#
  }
}
