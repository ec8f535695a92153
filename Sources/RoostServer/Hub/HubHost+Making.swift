import EventLoops
import RealtimeCore
import Telemetry
import Tokens

extension HubHost {
  /// The hub and the relay that `configuration` asks for.
  init(_ configuration: ServerConfiguration, shards: Int, log: Log) {
    let now = Now(monotonic: monotonicMilliseconds(), wall: wallClockMilliseconds())
    let limits = configuration.limits
    var settings = HubConfiguration(instance: Self.instance(of: configuration.nodeID))
    settings.rate =
      limits.rateBurst == 0
      ? nil : Rate(burst: limits.rateBurst, nanosecondsPerToken: Int64(1_000_000_000 / limits.ratePerSecond))
    settings.connectionsPerUser = limits.connectionsPerUser
    settings.leaveGrace = Int64(configuration.leaveGraceSeconds * 1_000)
    let relay = LocalRelay(
      seed: Self.seed(), historyMessages: limits.historyMessages, historySeconds: limits.historySeconds, now: now)
    self.init(
      Hub(settings, seed: Self.seed(), now: now), relay: NodeRelay(local: relay), shards: shards, log: log)
  }

  /// The node's name with letters that no earlier process of that name had; at most 19 characters.
  private static func instance(of nodeID: String) -> String {
    let name = nodeID.isEmpty ? "node" : String(nodeID.prefix(10))
    return "\(name)-\(SecureRandom.hex(byteCount: 4))"
  }

  private static func seed() -> UInt64 { SecureRandom.bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
