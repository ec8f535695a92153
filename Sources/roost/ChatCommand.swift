import HTTPCore
import RoostClient

/// `roost chat`: talk in a room from a terminal, or from a script.
enum ChatCommand {
  static func run(_ arguments: [String]) async -> CInt {
    var flags = Flags(
      arguments, values: ["url", "token-file", "room", "history", "ca-file"],
      switches: ["help", "json", "listen", "raw", "quiet"])
    if flags.has("help") {
      Console.print(help)
      return 0
    }
    flags.rest.forEach { flags.refuse("\"\($0)\" is not a flag") }
    let token = Credentials.token(&flags)
    let history = flags.integer("history", 0...100, default: 0)
    let rooms = (flags["room"] ?? "general").split(separator: ",").map(String.init)
    if token == nil && flags.problems.isEmpty { flags.refuse("there is no token: set ROOST_TOKEN, or --token-file") }
    var configuration = ClientConfiguration(url: address(flags["url"] ?? "ws://127.0.0.1:8080"), token: token)
    // Whoever starts it wants to know at once when nobody is there. Later it comes back by itself, for ever.
    configuration.firstAttempts = 1
    if let file = flags["ca-file"] { configuration.trust = .file(file) }
    guard !flags.complain("chat") else { return 2 }
    let screen = ChatScreen(
      isJSON: flags.has("json"), isQuiet: flags.has("quiet"), reads: !flags.has("listen"), isRaw: flags.has("raw"))
    if screen.isInteractive { TerminalSignals.block() }
    let client: RoostClient
    do {
      client = try RoostClient(configuration)
    } catch {
      Console.complain("roost chat: \(error)")
      return 2
    }
    let session = ChatSession(client, screen, isRaw: flags.has("raw"), listensOnly: flags.has("listen"))
    guard screen.isInteractive else { return await talk(session, rooms, history) }
    async let code = talkAtTerminal(session, rooms, history)
    TerminalSignals.show(screen)
    return await code
  }

  private static func talk(_ session: ChatSession, _ rooms: [String], _ history: Int) async -> CInt {
    var session = session
    return await session.run(in: rooms, history: history)
  }

  private static func talkAtTerminal(_ session: ChatSession, _ rooms: [String], _ history: Int) async -> CInt {
    let code = await talk(session, rooms, history)
    TerminalSignals.tellOver()
    return code
  }

  /// With the path that nodes speak on, when none is given.
  private static func address(_ url: String) -> String {
    guard let place = ServerURL(url), place.target == "/" else { return url }
    return url + (url.hasSuffix("/") ? "ws" : "/ws")
  }

  private static let help = """
    roost chat [--url ws://HOST:PORT/ws] [--room NAMES]

    Says each line of standard input in a room and prints a line for each message of others. On a terminal there are
    colours (unless NO_COLOR is set) and a line to type in, with who else is typing. When the input ends (Ctrl-D) it
    waits until everything is acknowledged, and goes. A lost connection comes back by itself, and nothing is lost or
    said twice.

      --url         the server; ws://127.0.0.1:8080/ws unless given
      --room        rooms to enter, between commas; general unless given. One talks in the last
      --history     last messages to show first, 0 to 100
      --token-file  a file with the token, or ROOST_TOKEN (roost token makes one)
      --ca-file     certificates to believe with wss://, in PEM; the machine's unless given
      --listen      read nothing, print messages until stopped
      --raw         say every line as it is, also one that begins with /
      --json        print everything that happens, one JSON object on a line
      --quiet       no notices on standard error

    \(ChatLine.explanation.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))

    Exit code 0 when all was said; 1 when the server is not there, is not to be believed, does not take the token, ended
    it for good, or when a line could not be said; 2 for misuse. Ctrl-C ends it at once, by its signal.
    """
}
