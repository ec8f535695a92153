/// The Lua scripts that Redis runs for the relay. Each runs alone, from start to end: that is what gives order,
/// exact counts and single events.
///
/// Common arguments: 1 the generation as `ws:gen` holds it (lineage, `-`, 12 random digits, `.`, 32 digits of the
/// token), 2 the node, 3 its session. The text before the dot names the generation; what stands behind it is secret.
/// Keys are built inside: all of them begin with the prefix, so an ACL by prefix holds, and no Redis Cluster is used.
public enum Script: Int, CaseIterable, Sendable {
  case boot, publish, read, history, heartbeat, register, presence, connections, users, depart, reap, roster, online
  case revoke, revocations

  /// Numbers that are part of the scripts' text; all nodes of a cluster must agree on them.
  public struct Settings: Equatable, Sendable {
    public var prefix: String
    public var historyMessages: Int
    public var historySeconds: Int
    public var leaseMilliseconds: Int
    public var heartbeatMilliseconds: Int
    /// What `ws:topology` holds: how the nodes relay, in one word.
    public var topology = "broadcast"
    /// What is said in a room goes to `ws:b:<room>` and not to `ws:broadcast`.
    public var hasRoomChannels = false
  }

  /// The text as Redis gets it.
  public func source(_ settings: Settings) -> String {
    header + body(settings)
  }

  /// What Redis checks before a script begins, so that a refused one has changed nothing. Out of memory, messages are
  /// refused and reading goes on; so do presence, which is small and must not decay, and revocations.
  private var header: String {
    switch self {
    case .publish: "#!lua\n"
    case .read, .history: "#!lua flags=no-writes\n"
    default: "#!lua flags=allow-oom\n"
    }
  }

  private func body(_ settings: Settings) -> String {
    switch self {
    case .boot: Self.constants(settings) + Self.bootBody
    case .publish: Self.guarded(settings) + Self.epochs + Self.publishBody
    case .read: Self.guarded(settings) + Self.readBody
    case .history: Self.guarded(settings) + Self.historyBody
    case .heartbeat: Self.guarded(settings) + Self.leases + Self.heartbeatBody
    case .register: Self.guarded(settings) + Self.leases + Self.registerBody
    case .presence: Self.guarded(settings) + Self.leases + Self.extras + Self.memberships + Self.presenceBody
    case .connections: Self.guarded(settings) + Self.leases + Self.connectionsBody
    case .users: Self.guarded(settings) + Self.leases + Self.extras + Self.usersBody
    case .depart: Self.guarded(settings) + Self.leases + Self.departBody
    case .reap: Self.guarded(settings) + Self.leases + Self.extras + Self.memberships + Self.reapBody
    case .roster: Self.guarded(settings) + Self.epochs + Self.rosterBody
    case .online: Self.guarded(settings) + Self.leases + Self.onlineBody
    case .revoke: Self.guarded(settings) + Self.ended + Self.revokeBody
    case .revocations: Self.guarded(settings) + Self.ended + Self.revocationsBody
    }
  }

  private static func constants(_ settings: Settings) -> String {
    """
    local P = '\(settings.prefix)'
    local MAXLEN, STREAM_TTL = \(settings.historyMessages), \(settings.historySeconds)
    local META_TTL = STREAM_TTL + 86400
    local LEASE, INTERVAL = \(settings.leaseMilliseconds), \(settings.heartbeatMilliseconds)
    local TOPOLOGY, HAS_CHANNELS = '\(settings.topology)', \(settings.hasRoomChannels)

    """
  }

  /// Nothing of an older generation or of an abandoned connection may run.
  private static func guarded(_ settings: Settings) -> String {
    constants(settings) + """
      local held = redis.call('MGET', P..'gen', P..'s:'..ARGV[2])
      if held[1] ~= ARGV[1] then return redis.error_reply('STALEGEN another generation') end
      if held[2] ~= ARGV[3] then return redis.error_reply('OLDSESSION another session of this node') end

      """
  }
}
