extension Setting {
  /// What one connection may do how often, beside the message rate of its user.
  static let conduct: [Setting] = [
    .size(
      "payload-size", "largest payload in a message; over it: PAYLOAD_TOO_LARGE; 0: as large as the message",
      0...16 << 20, \.limits.payloadBytes),
    .size(
      "bytes-per-second",
      "bytes a client may send in the long run, four times as many at once; over it: read later; 0: any number",
      0...1 << 30, \.limits.bytesPerSecond),
    .number(
      "control-per-second", "joins, leaves, pings and mistakes of a client; over it: RATE_LIMITED, then close 4029",
      1...100_000, "a second", \.limits.controlPerSecond),
    .number(
      "questions-per-second", "history, online_users and joins of a room one is in; over it: RATE_LIMITED",
      1...100_000, "a second", \.limits.questionsPerSecond),
    .number(
      "new-rooms-per-minute", "rooms a client joins or asks about beside those it may have; over it: RATE_LIMITED",
      1...1_000_000, "a minute", \.limits.newRoomsPerMinute),
    .number(
      "returns-per-minute", "joins of one room that was left; over it: RATE_LIMITED", 1...100_000, "a minute",
      \.limits.returnsPerMinute),
    .number(
      "typing-per-second", "typing and stop_typing of a client; over it: dropped without a word", 1...100_000,
      "a second", \.limits.typingPerSecond),
    .number(
      "control-frames-per-second", "WebSocket pings and pongs of a client; over it: close 1008", 1...100_000,
      "a second", \.limits.framesPerSecond),
    .number(
      "recovery-messages", "missed messages of one room that a client gets; more: too_far", 0...100_000, "messages",
      \.limits.recoveryMessages),
    .size(
      "recovery-size", "the same in bytes", 0...1 << 30, \.limits.recoveryBytes),
  ]
}
