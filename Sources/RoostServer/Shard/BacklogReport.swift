/// What waits for slow clients, in one shard or all of them. At most ``interval`` old.
public struct BacklogReport: Sendable, Equatable {
  /// Milliseconds between two looks at a shard's slow clients.
  static let interval: Int64 = 250
  /// Clients that a shard names.
  static let namedClients = 10

  /// Clients for which something waits.
  public internal(set) var clients = 0
  public internal(set) var bytes = 0
  public internal(set) var messages = 0
  public internal(set) var replayMessages = 0
  /// Those with the most bytes waiting, most first.
  public internal(set) var slowest: [SlowClient] = []

  /// The most that waits for one client.
  public var largestBytes: Int { slowest.first?.bytes ?? 0 }

  static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum.clients += right.clients
    sum.bytes += right.bytes
    sum.messages += right.messages
    sum.replayMessages += right.replayMessages
    sum.slowest = (left.slowest + right.slowest).sorted { $0.bytes > $1.bytes }
    return sum
  }
}
