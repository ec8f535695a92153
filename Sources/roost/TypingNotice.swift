/// When others are told that somebody types: with the first key, every 3 s while keys come, and when there is nothing
/// left to send. The server ends it by itself 6 s after the last word of it (PROTOCOL.md).
struct TypingNotice {
  private static let interval: Int64 = 3_000

  /// When they were told last; `nil`: they think that nobody types.
  private var saidAt: Int64?

  /// What to tell after a key; `nil`: nothing.
  ///
  /// - Parameters:
  ///   - isTyping: something stands there that is going to be said.
  ///   - now: in milliseconds.
  mutating func key(isTyping: Bool, _ now: Int64) -> Bool? {
    guard isTyping else {
      defer { saidAt = nil }
      return saidAt == nil ? nil : false
    }
    if let saidAt, now < saidAt + Self.interval { return nil }
    saidAt = now
    return true
  }
}
