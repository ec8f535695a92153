import EventLoops
import Glibc
import RoostServer
import RoostTesting
import Telemetry
import Tokens

let testSecret = Array("a secret of at least thirty-two bytes".utf8)

/// A node on a free port of this machine, with limits that do not get in the way unless the test sets them.
func configured(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> ServerConfiguration {
  var configuration = ServerConfiguration()
  configuration.host = "127.0.0.1"
  configuration.port = 0
  configuration.shards = 1
  configuration.secret = testSecret
  configuration.echo.isEnabled = true
  configuration.limits.rateBurst = 0
  configuration.limits.bytesPerSecond = 0
  configuration.limits.apiMessagesPerSecond = 0
  configuration.limits.apiQuestionsPerSecond = 0
  configuration.limits.controlPerSecond = 100_000
  configuration.limits.questionsPerSecond = 100_000
  configuration.limits.newRoomsPerMinute = 1_000_000
  configuration.limits.returnsPerMinute = 100_000
  configuration.limits.connectsPerAddressPerSecond = 10_000
  // Tests wait for each other, on machines of any speed: what is not about time has plenty of it.
  configuration.limits.fragmentSeconds = 600
  configuration.times.handshake = 60
  configuration.times.write = 600
  (configuration.times.ping, configuration.times.pong) = (3_000, 3_600)
  change(&configuration)
  return configuration
}

/// Runs a node for as long as `body` takes.
func withNode(
  _ configuration: ServerConfiguration = configured(), log: Log = Log(level: .error), _ body: (Node) throws -> Void
) async throws {
  let node = try Node(configuration, log: log)
  node.start()
  do { try body(node) } catch {
    await node.stop()
    throw error
  }
  await node.stop()
}

struct Late: Error { let what: String }

/// Asks until the answer is yes, for what has no event to wait for; two minutes at most, for a test that asks for ever
/// ends nobody's run.
func eventually(_ what: String, _ isTrue: () throws -> Bool) throws {
  let deadline = monotonicMilliseconds() + 120_000
  while try !isTrue() {
    guard monotonicMilliseconds() < deadline else { throw Late(what: what) }
    usleep(1_000)
  }
}

/// Does what must be done before a token's end. A machine may be too slow for a token that ends soon: then it is done
/// again with one that ends later.
///
/// - Parameter attempt: gets the token's life, in seconds, and throws when anything is not as it should be.
func inTime<Value>(_ attempt: (_ seconds: Int64) throws -> Value) throws -> Value {
  for seconds in [3, 10, 40] as [Int64] {
    let end = wallClockMilliseconds() + (seconds - 1) * 1_000
    do { return try attempt(seconds) } catch { guard wallClockMilliseconds() >= end else { throw error } }
  }
  throw Late(what: "before the end of a token")
}

/// A client that a list can hold.
final class HeldClient {
  var client: TestClient
  init(_ client: consuming TestClient) { self.client = client }
}

/// A token of `user`, good for an hour.
func token(
  _ user: String, role: String? = nil, rooms: RoomGrants = RoomGrants(), seconds: Int64 = 3_600
) throws -> String {
  try TokenMinter(secret: testSecret).mint(
    Claims(userID: user, role: role, rooms: rooms, expiresAt: Int64(time(nil)) + seconds))
}

extension TestClient {
  /// A WebSocket of `user`, who joins `rooms` one after the other.
  ///
  /// - Parameter lines: further header lines of its request, each with its line end.
  static func chat(
    _ node: Node, _ user: String, role: String? = nil, rooms: [String] = [], receiveBuffer: CInt? = nil,
    _ lines: String = ""
  ) throws -> TestClient {
    var client = try TestClient(port: node.port, receiveBuffer: receiveBuffer)
    try client.upgrade("/ws?token=\(token(user, role: role))", lines)
    for room in rooms { try client.join(room) }
    return client
  }

  /// Joins; a node that has not found its Redis yet is asked again.
  mutating func join(_ room: String) throws {
    let deadline = monotonicMilliseconds() + 60_000
    while monotonicMilliseconds() < deadline {
      try sendFrame(#"{"type":"join_room","payload":{"room_id":"\#(room)"}}"#)
      let answer = try skip { $0.text.contains(#""room_info""#) || $0.text.contains(#""RELAY_UNAVAILABLE""#) }
      guard let answer else { throw Failure.malformed }
      if answer.text.contains(#""room_info""#) { return }
      usleep(20_000)
    }
    throw Late(what: "in \(room)")
  }

  func say(_ text: String, in room: String, id: String) throws {
    try sendFrame(#"{"type":"send_message","room":"\#(room)","id":"\#(id)","payload":{"content":"\#(text)"}}"#)
  }

  /// The next frame that is neither somebody coming nor going, nor about Redis, which a busy machine may lose for a
  /// moment.
  mutating func talk() throws -> String {
    let frame = try skip {
      !$0.text.contains(#""user_joined""#) && !$0.text.contains(#""user_left""#)
        && !$0.text.hasPrefix(#"{"type":"relay_status""#)
    }
    guard let frame else { throw Failure.malformed }
    return frame.text
  }
}
