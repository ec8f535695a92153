/// Probes: published to the node's own channel every second, and looked for on the subscriber's connection. At most
/// one is on its way.
struct Liveness {
  static let interval: Int64 = 1_000
  static let patience: Int64 = 1_000

  private var number = 0
  private var sentAt: Int64?
  private var nextAt: Int64?

  /// From now on there is a way for probes.
  mutating func start(now: Int64) { (sentAt, nextAt) = (nil, now) }

  /// There is no way for probes; one that was on its way tells nothing any more.
  mutating func stop() { (sentAt, nextAt) = (nil, nil) }

  /// The number of the probe to publish now, if one is due.
  mutating func due(now: Int64) -> Int? {
    guard let at = nextAt, now >= at, sentAt == nil else { return nil }
    number += 1
    (sentAt, nextAt) = (now, now + Self.interval)
    return number
  }

  /// A probe came back; true when it is the one on its way.
  mutating func seen(_ number: Int) -> Bool {
    guard number == self.number, sentAt != nil else { return false }
    sentAt = nil
    return true
  }

  /// Redis would not take the probe: it proves nothing, and its absence does not either. Tells when it was sent.
  mutating func refused(_ number: Int) -> Int64? {
    guard number == self.number, let sent = sentAt else { return nil }
    sentAt = nil
    return sent
  }

  /// When the probe on its way was sent, if it should have been back by now.
  func overdueSince(now: Int64) -> Int64? {
    guard let sentAt, now - sentAt >= Self.patience else { return nil }
    return sentAt
  }

  var deadline: Int64? { sentAt.map { $0 + Self.patience } ?? nextAt }
}
