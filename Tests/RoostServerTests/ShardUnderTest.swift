import Buffers
import EventLoops
import RealtimeCore
import RoostTesting
import Telemetry
import Testing
import Tokens

@testable import RoostServer

/// One shard with real sockets, and the test in the hub's place: it hears what the shard says and says what it likes.
struct ShardUnderTest: ~Copyable {
  struct Silence: Error {}

  let port: UInt16
  let context: NodeContext
  private let shard: Shard
  private let inbox: Mailbox<HubCommand>
  /// Wakes us when the shard has said something.
  private let loop: EventLoop
  private var events = EventBuffer(capacity: 4)
  private var heard: [HubCommand] = []
  private(set) var newest = ConnectionID(rawValue: 0)
  private let finished = Latch(1)

  init(_ configuration: ServerConfiguration) throws {
    let key = try VerificationKey(secret: configuration.secret)
    let context = NodeContext(
      configuration, keys: KeyKeeper(keys: [key], rules: .init()), shards: 1, descriptorLimit: 1_024)
    let (ownLoop, shardLoop) = (try EventLoop(), try EventLoop())
    let hub = Mailbox<HubCommand>(wakes: ownLoop)
    let listener = try Listener(try #require(Address(host: "127.0.0.1", port: 0)))
    let port = listener.port
    let shard = try Shard(
      index: 0, context: context, loop: shardLoop, inbox: Mailbox(wakes: shardLoop), listener: listener, hub: hub,
      log: Log(level: .error))
    (self.port, self.context, self.shard, inbox, loop) = (port, context, shard, hub, ownLoop)
    let finished = finished
    onNewThread(name: "shard") {
      shard.run()
      finished.arrive()
    }
  }

  func stop() async {
    shard.inbox.post(Parcel(commands: [.stop], frames: []))
    await finished.wait()
  }

  // MARK: Hearing

  /// What the shard says next to its hub.
  mutating func next() throws -> HubCommand {
    let deadline = monotonicMilliseconds() + 60_000
    while heard.isEmpty {
      inbox.take(into: &heard)
      guard heard.isEmpty else { break }
      let left = deadline - monotonicMilliseconds()
      guard left > 0 else { throw Silence() }
      _ = loop.wait(into: &events, timeout: CInt(left))
    }
    return heard.removeFirst()
  }

  /// Asks the shard to say something that comes after all it has to say so far. Returns what came before.
  mutating func rest(behind client: borrowing TestClient) throws -> [String] {
    try client.sendFrame(#"{"type":"online_users","room":"r1"}"#)
    var said: [String] = []
    while true {
      let command = try next()
      if case .askOnlineUsers = command { return said }
      said.append(Self.text(command))
    }
  }

  /// The shard's counters after all that the client has heard: they are published at the end of a turn, which is later
  /// than what the turn said.
  mutating func counters(behind client: borrowing TestClient) throws -> ShardCounters {
    _ = try rest(behind: client)
    return context.counters[0].snapshot
  }

  static func text(_ command: HubCommand) -> String {
    switch command {
    case .replayDrained: "drained"
    case .dropped(_, let room): "dropped \(room)"
    case .disconnect: "disconnect"
    case .join: "join"
    case .leave: "leave"
    default: "\(command)"
    }
  }

  // MARK: Saying

  /// What one turn of the hub says.
  struct Speech: ~Copyable {
    private var outgoing = Outgoing()
    private var batches = BatchBuilder(shards: 1)

    mutating func text(_ id: ConnectionID, _ text: String) { add(text) { .text(id, $0) } }
    mutating func resync(_ id: ConnectionID, _ room: RoomNumber) { add("resync \(room)") { .resync(id, room, $0) } }
    mutating func replay(_ id: ConnectionID, _ replay: Replay) { outgoing.commands.append(.replay(id, replay)) }
    mutating func admit(_ id: ConnectionID) { outgoing.commands.append(.admit(id, 1)) }

    mutating func enter(_ id: ConnectionID, _ room: RoomNumber) {
      add("enter \(room)") { .enter(id, room, RoomName("r\(room)")!, $0) }
    }

    mutating func exit(_ id: ConnectionID, _ room: RoomNumber) {
      add("exit \(room)") { .exit(id, room, RoomName("r\(room)")!, $0) }
    }

    /// One message in `room`: "<room> <number> padding".
    mutating func item(_ room: RoomNumber, _ number: Int, bytes: Int = 0) {
      item(room, number, padding: String(repeating: "x", count: bytes))
    }

    mutating func item(_ room: RoomNumber, _ number: Int, padding: String) {
      let text = Array("\(room) \(number) \(padding)".utf8)
      batches.enter(room, shard: 0)
      batches.add(RoomItem(text: 0..<text.count), to: room)
      guard let (batch, _) = unsafe batches.next(text.span.bytes) else { return }
      _ = unsafe batches.next(text.span.bytes)
      outgoing.commands.append(.batch(batch))
    }

    private mutating func add(_ text: String, _ command: (Range<Int>) -> ShardCommand) {
      unsafe outgoing.add(text.utf8Span.span.bytes, command)
    }

    consuming func parcel() -> Parcel { Parcel(commands: outgoing.commands, frames: outgoing.frames.array()) }
  }

  func say(_ speak: (inout Speech) -> Void) {
    var speech = Speech()
    speak(&speech)
    shard.inbox.post(speech.parcel())
  }

  func order(_ command: ShardCommand) { shard.inbox.post(Parcel(commands: [command], frames: [])) }

  // MARK: Clients

  /// A client that reads into a small buffer, a member of rooms 1 to `rooms`. Its connection is ``newest``.
  ///
  /// - Parameter lines: further header lines of its request, each with its line end.
  mutating func client(rooms: RoomNumber = 1, _ lines: String = "") throws -> TestClient {
    var client = try TestClient(port: port, receiveBuffer: 4_096)
    try client.send(TestClient.upgradeRequest("/ws?token=\(token("anna"))", lines))
    guard case .connect(let id, _, _) = try next() else { throw Silence() }
    say { $0.admit(id) }
    let status = try client.answer()?.status
    #expect(status == 101)
    for room in 1...rooms {
      try ask(client, "join_room", room)
      say { $0.enter(id, room) }
      let text = try client.text()
      #expect(text == "enter \(room)")
    }
    newest = id
    return client
  }

  /// The client asks to join or to leave, and the shard passes it on.
  mutating func ask(_ client: borrowing TestClient, _ type: String, _ room: RoomNumber) throws {
    try client.sendFrame(#"{"type":"\#(type)","room":"r\#(room)"}"#)
    _ = try next()
  }
}

/// Runs a shard for as long as `body` takes.
func withShard(_ configuration: ServerConfiguration, _ body: (inout ShardUnderTest) throws -> Void) async throws {
  var shard = try ShardUnderTest(configuration)
  do { try body(&shard) } catch {
    await shard.stop()
    throw error
  }
  await shard.stop()
}
