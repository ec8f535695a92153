import HTTPCore
import RealtimeCore
import Tokens
import WebSocketCore

/// The configuration in the units the shard works with.
struct ShardRules {
  /// Bytes received at once.
  let inputBytes = 256 * 1_024
  /// Bytes received at once before the handshake is answered; with so many kept, no more are received.
  let earlyBytes = 64 * 1_024
  let chat: MessageReader.Limits
  let echo: MessageReader.Limits
  /// The same for connections that agreed on compression.
  let compressedChat: MessageReader.Limits
  let compressedEcho: MessageReader.Limits
  let http = HTTPLimits()
  let payloadBytes: Int
  /// `nil`: as many bytes as somebody likes.
  let intake: Intake.Rules?
  /// For those who are closed already, whatever the setting: only a close frame is wanted of them.
  let lastIntake = Intake.Rules(bytesPerSecond: 64 * 1_024, burst: 256 * 1_024)
  let patience: Heartbeat.Patience
  let session: Session.Rules
  /// For tokens that do not name rooms.
  let defaultRooms: RoomGrants
  let handshake: Int64
  let write: Int64
  let close: Int64
  let fragments: Int64
  let queueMessages: Int
  let queueBytes: Int
  let slowConsumer: ServerConfiguration.SlowConsumer
  let echoPath: String?
  /// Handshakes that may wait for keys.
  let parked: Int
  /// How long one waits, in milliseconds: longer than a fetch may take.
  let parkedPatience: Int64
  /// Administration has a port of its own.
  let hasAdminPort: Bool
  /// Milliseconds a client that is sent away is told to wait, at most.
  let reconnectSpread: Int

  init(_ configuration: ServerConfiguration) {
    let (limits, times, echo) = (configuration.limits, configuration.times, configuration.echo)
    // The envelope scanner checks UTF-8 itself.
    chat = MessageReader.Limits(messageBytes: limits.messageBytes, fragments: limits.fragments, checksText: false)
    self.echo = MessageReader.Limits(
      messageBytes: echo.messageBytes, fragments: echo.fragments, emptyFragments: 0xFE)
    compressedChat = chat.takingCompressed()
    compressedEcho = self.echo.takingCompressed()
    patience = Heartbeat.Patience(pingAfter: Int32(times.ping), giveUpAfter: Int32(times.pong))
    payloadBytes = limits.payloadBytes == 0 ? .max : limits.payloadBytes
    // One message may always come at once.
    let burst = min(max(4 * limits.bytesPerSecond, limits.messageBytes), 1 << 30)
    intake = limits.bytesPerSecond == 0 ? nil : Intake.Rules(bytesPerSecond: limits.bytesPerSecond, burst: burst)
    session = Session.Rules(
      roomsPerConnection: limits.roomsPerConnection, everybodyMayChat: configuration.everybodyMayChat,
      conduct: Conduct.Rules(limits))
    defaultRooms = configuration.defaultRooms
    handshake = Int64(times.handshake) * 1_000
    write = Int64(times.write) * 1_000
    close = Int64(times.close) * 1_000
    fragments = Int64(limits.fragmentSeconds) * 1_000
    queueMessages = limits.queueMessages
    queueBytes = limits.queueBytes
    slowConsumer = limits.slowConsumer
    parked = configuration.tokens.waitingHandshakes
    parkedPatience = Int64(configuration.tokens.jwksMilliseconds) + 1_000
    hasAdminPort = configuration.adminPort != nil
    reconnectSpread = Int(configuration.drain.reconnectSpread * 1_000)
    echoPath = echo.isEnabled ? echo.path : nil
  }
}

extension Conduct.Rules {
  init(_ limits: ServerConfiguration.Limits) {
    self.init(
      rooms: limits.roomsPerConnection, controlPerSecond: limits.controlPerSecond,
      questionsPerSecond: limits.questionsPerSecond, newRoomsPerMinute: limits.newRoomsPerMinute,
      returnsPerMinute: limits.returnsPerMinute, typingPerSecond: limits.typingPerSecond,
      framesPerSecond: limits.framesPerSecond)
  }
}
