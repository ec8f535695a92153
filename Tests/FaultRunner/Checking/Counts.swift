/// What one run counted: a row of the table.
public struct Counts: Sendable, Equatable {
  /// Strikes of faults.
  public var faults = 0
  /// Messages acknowledged to their senders, each counted once.
  public var acked = 0
  /// Messages that came to clients in their place, the senders' own acks included.
  public var delivered = 0
  /// Places that a member's view lacks though nothing was announced.
  public var lost = 0
  /// Times a client was told that its view has a gap: `resync`, or `recovered: false`.
  public var announced = 0
  /// Announcements though no data was lost.
  public var needless = 0
  /// Messages that came twice.
  public var doubled = 0
  public var misordered = 0
  /// Places where two clients saw different messages.
  public var divergent = 0
  /// Joins and leaves that did not alternate, and leaves of users who were there.
  public var wrongPresence = 0
  /// Leases that nodes lost though nobody had stopped them.
  public var wronglyReaped = 0
  /// Connections that ended though the fault ends none.
  public var closed = 0
  /// Clients, rooms and messages without service at the end.
  public var notRecovered = 0
  /// Answers that the protocol does not allow, such as `recovered: true` for a position that never was.
  public var wrongAnswers = 0

  public init() {}

  public static func += (total: inout Counts, more: Counts) {
    for column in columns { total[keyPath: column.path] += more[keyPath: column.path] }
  }

  public struct Column: Sendable {
    public let title: String
    public let path: any WritableKeyPath<Counts, Int> & Sendable
    /// Anything but zero breaks a promise.
    public let isPromise: Bool
  }

  public static let columns: [Column] = [
    Column(title: "faults", path: \.faults, isPromise: false),
    Column(title: "acked", path: \.acked, isPromise: false),
    Column(title: "delivered", path: \.delivered, isPromise: false),
    Column(title: "announced", path: \.announced, isPromise: false),
    Column(title: "needless", path: \.needless, isPromise: true),
    Column(title: "lost", path: \.lost, isPromise: true),
    Column(title: "doubled", path: \.doubled, isPromise: true),
    Column(title: "misordered", path: \.misordered, isPromise: true),
    Column(title: "divergent", path: \.divergent, isPromise: true),
    Column(title: "wrong presence", path: \.wrongPresence, isPromise: true),
    Column(title: "wrongly reaped", path: \.wronglyReaped, isPromise: true),
    Column(title: "closed", path: \.closed, isPromise: true),
    Column(title: "wrong answers", path: \.wrongAnswers, isPromise: true),
    Column(title: "not recovered", path: \.notRecovered, isPromise: true),
  ]

  /// How many promises were broken, all kinds together.
  public var violations: Int { Self.columns.reduce(0) { $0 + ($1.isPromise ? self[keyPath: $1.path] : 0) } }
}
