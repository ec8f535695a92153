import RoostClient
import Tokens

/// `roost publish`: puts messages into a room through the HTTP API.
enum PublishCommand {
  static func run(_ arguments: [String]) async -> CInt {
    var flags = Flags(
      arguments, values: ["url", "room", "id", "sender", "sender-name", "api-key-file", "token-file", "ca-file"],
      switches: ["help", "data", "json"])
    if flags.has("help") {
      Console.print(help)
      return 0
    }
    let key = Credentials.api(&flags)
    if flags["room"] == nil { flags.refuse("--room: which?") }
    if let id = flags["id"], !(1...64).contains(id.unicodeScalars.count) { flags.refuse("--id: 1 to 64 characters") }
    if flags["sender"] == nil && flags["sender-name"] != nil { flags.refuse("--sender-name: whose? see --sender") }
    guard !flags.complain("publish"), let key, let room = flags["room"] else { return 2 }
    do {
      let caller = try APICaller(flags["url"] ?? "http://127.0.0.1:8080", key: key, authority: flags["ca-file"])
      var publishing = Publishing(caller: caller, room: room, sender: sender(flags), isJSON: flags.has("json"))
      return try await send(flags, &publishing)
    } catch {
      Console.complain("roost publish: \(error)")
      return 1
    }
  }

  /// The words of the command line as one message, or each line of the input.
  private static func send(_ flags: Flags, _ publishing: inout Publishing) async throws -> CInt {
    let id = flags["id"]
    if !flags.rest.isEmpty {
      guard let payload = payload(flags.rest.joined(separator: " "), flags) else { return refuse(nil) }
      try publishing.publish(payload, id: id ?? SecureRandom.base64URL(byteCount: 12))
      return 0
    }
    // Random, so that sending again after an unclear answer does not double a line.
    let prefix = id ?? SecureRandom.base64URL(byteCount: 12)
    var number = 0
    while let line = await InputLines.next() {
      number += 1
      if line.isEmpty { continue }
      guard let payload = payload(line, flags) else { return refuse(number) }
      try publishing.publish(payload, id: "\(prefix)-\(number)")
    }
    return 0
  }

  private static func payload(_ text: String, _ flags: Flags) -> JSONText? {
    flags.has("data") ? JSONText(text) : JSONText(content: text)
  }

  private static func refuse(_ line: Int?) -> CInt {
    Console.complain("roost publish: \(line.map { "line \($0)" } ?? "--data: the text") is not JSON")
    return 2
  }

  private static func sender(_ flags: Flags) -> JSONText? {
    guard let id = flags["sender"] else { return nil }
    guard let name = flags["sender-name"] else { return JSONText(["id": JSONText(string: id)]) }
    return JSONText(["id": JSONText(string: id), "name": JSONText(string: name)])
  }

  private static let help = """
    roost publish --room ROOM [TEXT …]

    Puts a message into a room through the HTTP API: the words as one message, or each line of standard input as one.
    Prints a line for each: its offset, its id, and "dup" when it was there before. When the server does not answer or
    is busy it is asked again, under the same id, up to five times.

      --url           a node or a balancer that passes /api on; http://127.0.0.1:8080 unless given
      --id            names the message, 1 to 64 characters: the same id within two minutes stores nothing new. Lines of
                      the input get "-1", "-2", … behind it
      --data          the text is JSON, and the whole payload; otherwise it becomes {"content": TEXT}
      --sender        in whose name, a user's id; --sender-name what others see
      --json          print the server's answers as they are
      --api-key-file  a file with the API's key, or ROOST_API_KEY_FILE, or the key itself in ROOST_API_KEY
      --token-file    or an admin's token in a file, or in ROOST_TOKEN
      --ca-file       certificates to believe with https://, in PEM; the machine's unless given

    Exit code 0 when everything is stored, 1 when something is not, 2 for misuse.
    """
}
