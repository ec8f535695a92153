/// What lies between the nodes and Redis.
public final class Network {
  let world: World
  let redis: SimulatedRedis
  /// Microseconds that bytes take, at most; a burst of delay makes it longer.
  public var slowest = 400
  /// One piece of so many is split.
  private var links = 0

  public init(world: World, redis: SimulatedRedis) { (self.world, self.redis) = (world, redis) }

  func delay() -> Int64 { Int64(world.dice.roll(30...max(31, slowest))) }

  /// How many of the bytes on their way arrive together: nearly always all, sometimes any number, now and then one.
  func pieceSize(of count: Int) -> Int {
    let roll = world.dice.next() % 1_000
    if roll < 970 { return count }
    return roll < 995 ? world.dice.roll(1...count) : 1
  }

  func open(_ name: String, whenReady: @escaping (Bool) -> Void) -> Link {
    links += 1
    let link = Link(number: links, name: name, network: self, whenReady: whenReady)
    world.after(delay()) { [redis] in
      guard link.isUp else { return }
      guard redis.accept(link) else { return link.refused() }
      link.opened()
    }
    return link
  }
}
