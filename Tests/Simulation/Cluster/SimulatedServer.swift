import RedisRelay

/// One of the Redis servers that rooms are spread over, and what lies between it and the nodes.
final class SimulatedServer {
  /// Its place in the list, from 0.
  let number: Int
  let redis: SimulatedRedis
  let network: Network
  let leases: LeaseWatch
  /// When it went away, while it is.
  var awaySince: Int64 = 0

  init(number: Int, world: World, settings: RedisRelayConfiguration, ledger: Ledger, mutant: RedisMutant?) {
    self.number = number
    leases = LeaseWatch(ledger: ledger, lease: Int64(settings.leaseMilliseconds))
    redis = SimulatedRedis(world: world, settings: settings)
    redis.mutant = mutant
    redis.witness = leases
    network = Network(world: world, redis: redis)
  }
}
