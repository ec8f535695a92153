/// What the relay's scripts keep in Redis, by what it means and not by key. A value: a copy is a snapshot.
///
/// Times are the wall clock's milliseconds, as Redis' own expiry uses them.
struct RedisData {
  /// `ws:m:<room>`
  struct Meta {
    var top: Int?
    var epoch: String?
    var renewed: Int?
    var version: Int?
    var end: Int = .max
  }

  /// `ws:h:<room>`
  struct Stream {
    var entries: [(offset: Int, text: [UInt8])] = []
    var end: Int = .max
  }

  /// A place remembered under a digest.
  struct Place {
    let offset: Int
    let epoch: String
  }

  /// A user in a room.
  struct Presence {
    var nodes: Int
    var name: String
  }

  /// What an incarnation added.
  struct Entry: Hashable {
    let room: String
    let user: String
  }

  struct Revoked {
    var until: Int
    var issuedUntil: Int
    /// Which learning it was.
    var number: Int
  }

  var generation = ""
  var topology = "broadcast"
  var revoked: [[UInt8]: Revoked] = [:]
  var revocations = 0
  var sessions: [String: Int] = [:]
  var metas: [String: Meta] = [:]
  var streams: [String: Stream] = [:]
  /// By period of two minutes.
  var digests: [Int: [[UInt8]: Place]] = [:]
  var leases: [String: Int] = [:]
  var connections: [String: Int] = [:]
  var nodes: [String: String] = [:]
  var dying: [String: Int] = [:]
  var lastBeat: Int?
  var rooms: [String: [String: Presence]] = [:]
  var users: [String: Int] = [:]
  var undo: [String: Set<Entry>] = [:]
  /// Connections beyond one per node: of each user, and of each incarnation's users.
  var extras: [String: Int] = [:]
  var ownExtras: [String: [String: Int]] = [:]

  /// Removes what time has ended.
  mutating func expire(now: Int) {
    for (room, meta) in metas where meta.end <= now { metas[room] = nil }
    for (room, stream) in streams where stream.end <= now { streams[room] = nil }
  }
}
