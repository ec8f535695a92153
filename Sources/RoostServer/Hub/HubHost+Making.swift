import Buffers
import EventLoops
import RealtimeCore
import RedisRelay
import Telemetry
import Tokens
import Transport

extension HubHost {
  /// The hub and the relay that `configuration` asks for.
  ///
  /// - Parameters:
  ///   - port: what the node listens on.
  ///   - loop: the one they live in.
  init(
    _ configuration: ServerConfiguration, port: UInt16, shards: Int, loop: EventLoop, report: SharedReport, log: Log
  ) throws(RedisConfigurationError) {
    let now = Now.read()
    let limits = configuration.limits
    var settings = HubConfiguration(instance: Self.instance(of: configuration.nodeID))
    settings.rate =
      limits.rateBurst == 0
      ? nil : Rate(burst: limits.rateBurst, nanosecondsPerToken: Int64(1_000_000_000 / limits.ratePerSecond))
    (settings.recoveryMessages, settings.recoveryBytes) = (limits.recoveryMessages, limits.recoveryBytes)
    settings.connectionsPerUser = limits.connectionsPerUser
    settings.followsRooms = !configuration.redisURL.isEmpty && configuration.relayTopology == .rooms
    settings.spread = RoomSpread(servers: configuration.redisURLs.count)
    settings.deliversLocally = configuration.deliversWhenDegraded
    settings.historyMessages = limits.historyMessages
    settings.historySeconds = limits.historySeconds
    settings.ringBytes = limits.historyBytes
    settings.backendMessages = Self.perSecond(limits.apiMessagesPerSecond)
    settings.backendQuestions = Self.perSecond(limits.apiQuestionsPerSecond)
    let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
    (settings.address, settings.version) = ("\(host):\(port)", Release.version)
    settings.leaveGrace = Int64(configuration.leaveGraceSeconds * 1_000)
    settings.returnGrace = configuration.drain.returnGrace
    settings.rebalance = configuration.drain.rebalance ? configuration.drain.rebalanceRules : nil
    let relay = try Self.relay(configuration, instance: settings.instance, loop: loop, now: now)
    self.init(Hub(settings, seed: Self.seed(), now: now), relay: relay, shards: shards, report: report, log: log)
    start(now: now)
  }

  private static func perSecond(_ count: Int) -> Rate? { count == 0 ? nil : Rate(burst: count, perSecond: count) }

  private static func relay(
    _ configuration: ServerConfiguration, instance: String, loop: EventLoop, now: Now
  ) throws(RedisConfigurationError) -> NodeRelay {
    let limits = configuration.limits
    guard !configuration.redisURL.isEmpty else {
      return NodeRelay(
        LocalRelay(
          seed: seed(), historyMessages: limits.historyMessages, historySeconds: limits.historySeconds,
          historyBytes: limits.historyBytes, now: now))
    }
    let servers = try configuration.redisServers()
    guard servers.count > 1 else { return NodeRelay(try relay(to: servers, 0, configuration, instance, loop)) }
    var relays = Slab<RedisRelay>()
    for number in servers.indices { _ = relays.insert(try relay(to: servers, number, configuration, instance, loop)) }
    return NodeRelay(SpreadRelay(relays, secret: RelaySurroundings.machine(waking: loop).secret))
  }

  /// To one of the servers.
  private static func relay(
    to servers: [RedisURL], _ number: Int, _ configuration: ServerConfiguration, _ instance: String, _ loop: EventLoop
  ) throws(RedisConfigurationError) -> RedisRelay {
    var settings = try RedisRelayConfiguration(
      server: servers[number], nodeID: instance, prefix: configuration.redisPrefix)
    settings.historyMessages = configuration.limits.historyMessages
    settings.historySeconds = configuration.limits.historySeconds
    settings.topology = configuration.relayTopology
    (settings.serverNumber, settings.serverCount) = (number + 1, servers.count)
    let secure = try secureWay(to: settings.server, configuration)
    let token = Token.relay + 2 * UInt64(number)
    return RedisRelay(
      configuration: settings, command: SocketWire(loop: loop, token: token, secure: secure),
      subscriber: SocketWire(loop: loop, token: token + 1, secure: secure),
      surroundings: .machine(waking: loop), seed: seed())
  }

  /// TLS, and whose certificate it must find at the other end.
  private static func secureWay(
    to server: RedisURL, _ configuration: ServerConfiguration
  ) throws(RedisConfigurationError) -> (client: TLSClient, host: String)? {
    guard server.isSecure, case .host(let host, _) = server.place else { return nil }
    do { return (try configuration.redisTLS.client(), host) } catch {
      throw RedisConfigurationError(error.description)
    }
  }

  /// The node's name with letters that no earlier process of that name had; at most 19 characters.
  private static func instance(of nodeID: String) -> String {
    let name = nodeID.isEmpty ? "node" : String(nodeID.suffix(NodeName.idLength))
    return "\(name)-\(SecureRandom.hex(byteCount: 4))"
  }

  private static func seed() -> UInt64 { SecureRandom.bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
