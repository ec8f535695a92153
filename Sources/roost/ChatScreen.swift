import Glibc
import RoostClient
import Synchronization

/// Where a chat is shown: a line of standard output for each message, notices on standard error.
///
/// On a terminal a prompt stays below. What was typed and not sent yet scrolls away with it, but is still there.
final class ChatScreen: Sendable {
  private let isJSON: Bool
  private let isQuiet: Bool
  private let isColoured: Bool
  /// Somebody sits there.
  let isInteractive: Bool
  private let prompt = Mutex("")

  init(isJSON: Bool, isQuiet: Bool, reads: Bool) {
    (self.isJSON, self.isQuiet) = (isJSON, isQuiet)
    let isTerminal = Terminal.isTerminal(1)
    isColoured = isTerminal && Console.environment["NO_COLOR"]?.isEmpty != false
    isInteractive = isTerminal && reads && Terminal.isTerminal(0) && !isJSON
  }

  // MARK: Messages

  func show(_ message: RoomMessage) {
    guard isJSON else { return say(message.sender, in: "[\(message.room)]", message.content, message.payload) }
    out(
      [
        ("type", JSONText(string: "new_message")), ("room", JSONText(string: message.room)),
        ("offset", message.offset.flatMap { JSONText("\($0)") }), ("id", JSONText(string: message.id)),
        ("sender", message.sender.map(Self.json)), ("timestamp", JSONText(string: message.timestamp)),
        ("client_id", message.clientID.map { JSONText(string: $0) }), ("payload", message.payload),
      ])
  }

  /// - Parameter type: `private` or `chat`.
  func show(_ message: DirectMessage, _ type: String) {
    guard isJSON else { return say(message.sender, in: "(\(type))", message.content, message.payload) }
    out(
      [
        ("type", JSONText(string: type)), ("sender", message.sender.map(Self.json)),
        ("timestamp", JSONText(string: message.timestamp)), ("payload", message.payload),
      ])
  }

  func show(_ receipt: Receipt) {
    guard isJSON else { return }
    out(
      [
        ("type", JSONText(string: "ack")), ("room", JSONText(string: receipt.room)),
        ("offset", JSONText("\(receipt.offset)")), ("id", receipt.messageID.map { JSONText(string: $0) }),
        ("dup", receipt.isDuplicate ? JSONText("true") : nil),
      ])
  }

  func show(_ members: RoomMembers) {
    guard isJSON else {
      let names = members.users.map { Terminal.harmless($0.name == $0.id ? $0.id : "\($0.name) (\($0.id))") }
      let more = members.count > members.users.count ? " and \(members.count - members.users.count) more" : ""
      return write("\(members.room): \(members.count): \(names.joined(separator: ", "))\(more)", to: 1)
    }
    let users = members.users.map { Self.json($0).description }.joined(separator: ",")
    out(
      [
        ("type", JSONText(string: "online_users")), ("room", JSONText(string: members.room)),
        ("count", JSONText("\(members.count)")), ("users", JSONText("[\(users)]")),
      ])
  }

  /// Something that happened in a room, or that everybody is told.
  func show(_ type: String, room: String?, _ user: RoomUser?, _ text: String) {
    guard isJSON else { return notice(text) }
    out(
      [
        ("type", JSONText(string: type)), ("room", room.map { JSONText(string: $0) }), ("user", user.map(Self.json)),
        ("text", user == nil ? JSONText(string: text) : nil),
      ])
  }

  // MARK: Words of our own

  func notice(_ text: String) {
    guard !isQuiet else { return }
    write(Terminal.styled("* " + Terminal.harmless(text), .dim, isColoured && Terminal.isTerminal(2)), to: 2)
  }

  func complain(_ text: String) {
    let text = "roost chat: " + Terminal.harmless(text)
    write(Terminal.styled(text, .red, isColoured && Terminal.isTerminal(2)), to: 2)
  }

  /// Several lines of help.
  func explain(_ text: String) { write(text, to: 2) }

  func ask(in room: String?) {
    guard isInteractive else { return }
    prompt.withLock {
      $0 = "\(room ?? "no room")> "
      Console.write($0, to: 1)
    }
  }

  // MARK: Lines

  private func say(_ sender: RoomUser?, in place: String, _ content: String?, _ payload: JSONText) {
    let name = Terminal.styled(Terminal.harmless(sender?.name ?? "-"), .cyan, isColoured)
    let text = Terminal.harmless(content ?? payload.description)
    write("\(Terminal.styled(place, .dim, isColoured)) \(name): \(text)", to: 1)
  }

  private func out(_ members: [(String, JSONText?)]) {
    let members = members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
    write("{\(members.joined(separator: ","))}", to: 1)
  }

  private static func json(_ user: RoomUser) -> JSONText {
    JSONText(["id": JSONText(string: user.id), "name": JSONText(string: user.name)])
  }

  /// One line, over the prompt when there is one.
  private func write(_ line: String, to descriptor: CInt) {
    prompt.withLock { prompt in
      guard isInteractive, !prompt.isEmpty else { return Console.write(line + "\n", to: descriptor) }
      Console.write("\r\u{1B}[K\(line)\n\(prompt)", to: descriptor)
    }
  }
}
