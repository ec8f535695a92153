import EventLoops
import Glibc
import Locks
import RoostClient
import Synchronization

/// Where a chat is shown: a line of standard output for each message, notices on standard error.
///
/// Where somebody sits at a terminal, the last line of it is a prompt with what is being typed; all else appears above.
final class ChatScreen: Sendable {
  private let isJSON: Bool
  private let isQuiet: Bool
  private let isColoured: Bool
  /// Every line is said as it is.
  private let isRaw: Bool
  /// Somebody sits there.
  let isInteractive: Bool
  private let modes = TerminalModes()
  private let prompt = Mutex(ChatPrompt())

  init(isJSON: Bool, isQuiet: Bool, reads: Bool, isRaw: Bool) {
    (self.isJSON, self.isQuiet, self.isRaw) = (isJSON, isQuiet, isRaw)
    isColoured = Terminal.isColoured(1)
    isInteractive = reads && !isJSON && Terminal.isTerminal(0) && Terminal.isClever(1)
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
      let room = Terminal.harmless(members.room)
      return write("\(room): \(members.count): \(names.joined(separator: ", "))\(more)", to: 1)
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
    write(Terminal.styled("* " + Terminal.harmless(text), .dim, Terminal.isColoured(2)), to: 2)
  }

  func complain(_ text: String) {
    let text = "roost chat: " + Terminal.harmless(text)
    write(Terminal.styled(text, .red, Terminal.isColoured(2)), to: 2)
  }

  /// Several lines of help.
  func explain(_ text: String) { write(text, to: 2) }

  // MARK: Lines

  private func say(_ sender: RoomUser?, in place: String, _ content: String?, _ payload: JSONText) {
    let name = Terminal.styled(Terminal.harmless(sender?.name ?? "-"), .cyan, isColoured)
    let text = Terminal.harmless(content ?? payload.description)
    write("\(Terminal.styled(Terminal.harmless(place), .dim, isColoured)) \(name): \(text)", to: 1)
  }

  private func out(_ members: [(String, JSONText?)]) {
    let members = members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
    write(Terminal.harmlessJSON("{\(members.joined(separator: ","))}"), to: 1)
  }

  private static func json(_ user: RoomUser) -> JSONText {
    JSONText(["id": JSONText(string: user.id), "name": JSONText(string: user.name)])
  }

  /// A line, over the prompt when there is one.
  private func write(_ line: String, to descriptor: CInt) {
    prompt.locked { prompt in
      // Errors may go to a file.
      guard prompt.isShown, descriptor == 1 || Terminal.isTerminal(descriptor) else {
        return Console.write(line + "\n", to: descriptor)
      }
      Console.write("\r\u{1B}[K\(line)\n\(drawn(prompt))", to: 1)
    }
  }

  private func drawn(_ prompt: ChatPrompt) -> String {
    prompt.drawn(Terminal.size.columns, isColoured: isColoured)
  }
}

// MARK: Somebody sits there

extension ChatScreen: TerminalPicture {
  func begin() {
    guard isInteractive else { return }
    modes.takeKeys()
    redraw()
  }

  func end() {
    guard isInteractive else { return }
    prompt.locked { if $0.isShown { Console.write("\r\u{1B}[K", to: 1) } }
    modes.giveBack()
  }

  func redraw() { prompt.locked { if $0.isShown { Console.write(drawn($0), to: 1) } } }

  /// One talks in this room from now on.
  func ask(in room: String?) {
    guard isInteractive else { return }
    prompt.locked { prompt in
      (prompt.isShown, prompt.room) = (true, room)
      Console.write(drawn(prompt), to: 1)
    }
  }

  /// Nothing is asked any more; what comes is shown without a prompt.
  func askNoMore() {
    prompt.locked { prompt in
      if prompt.isShown { Console.write("\r\u{1B}[K", to: 1) }
      prompt.isShown = false
    }
  }

  /// Others type, or have stopped.
  func type(_ user: RoomUser, in room: String, isTyping: Bool) {
    guard isInteractive else { return }
    prompt.locked { $0.type(user, in: room, isTyping: isTyping) }
    redraw()
  }

  func forgetTypists() {
    guard isInteractive else { return }
    prompt.locked { $0.forgetTypists() }
    redraw()
  }

  /// Keys were pressed: shows what comes of them.
  func type(_ bytes: ArraySlice<UInt8>) -> (inputs: [ChatKeys.Input], isEnd: Bool) {
    let now = monotonicMilliseconds()
    var (inputs, output): ([ChatKeys.Input], String) = ([], "")
    return prompt.locked { prompt in
      for byte in bytes {
        switch prompt.editor.take(byte) {
        case nil: break
        case .edited:
          let isTyping = prompt.isMessage(isRaw: isRaw)
          if let told = prompt.notice.key(isTyping: isTyping, now) { inputs.append(.typing(told)) }
        case .line(let line):
          if let told = prompt.notice.key(isTyping: false, now) { inputs.append(.typing(told)) }
          inputs.append(.line(line))
          output += "\r\u{1B}[K\(prompt.said(line))\n"
        case .refresh: output += "\u{1B}[H\u{1B}[2J"
        case .refused: output += "\u{7}"
        case .end: return (inputs, true)
        }
      }
      if prompt.isShown { Console.write(output + drawn(prompt), to: 1) }
      return (inputs, false)
    }
  }
}
