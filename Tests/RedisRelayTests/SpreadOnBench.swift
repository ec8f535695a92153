import Buffers
import EventLoops
import RealtimeCore
import RedisRelay
import RoostTesting

/// A relay over several real servers.
final class SpreadOnBench: RelayOnBench {
  private var relay: SpreadRelay
  let tokens: [UInt64]

  init(
    _ servers: [RedisServer], node: String, history: Int = 300, topology: RelayTopology = .broadcast,
    loop: EventLoop, firstToken: UInt64
  ) throws {
    var relays = Slab<RedisRelay>()
    for (number, server) in servers.enumerated() {
      var configuration = try RedisRelayConfiguration.test(server, node: node, history: history)
      configuration.topology = topology
      (configuration.serverNumber, configuration.serverCount) = (number + 1, servers.count)
      let token = firstToken + 2 * UInt64(number)
      _ = relays.insert(
        RedisRelay(
          configuration: configuration, command: SocketWire(loop: loop, token: token),
          subscriber: SocketWire(loop: loop, token: token + 1), surroundings: .machine(waking: loop), seed: token))
    }
    tokens = (0..<2 * UInt64(servers.count)).map { firstToken + $0 }
    relay = SpreadRelay(relays, secret: RelaySurroundings.machine(waking: loop).secret)
    relay.start(now: monotonicMilliseconds())
  }

  func submit(_ request: RelayRequest, ticket: RelayTicket) {
    relay.advance(to: monotonicMilliseconds())
    relay.submit(request, ticket: ticket)
  }
  func follow(_ room: RoomName) { relay.follow(room) }
  func unfollow(_ room: RoomName) {
    relay.advance(to: monotonicMilliseconds())
    relay.unfollow(room)
  }
  func takeEvents(into events: inout [RelayEvent]) { relay.takeEvents(into: &events) }
  func ready(_ event: EventBuffer.Event, now: Int64) {
    let place = Int(event.token - tokens[0])
    relay.ready(
      server: place / 2, place % 2 == 0 ? .command : .subscriber, isReadable: event.isReadable, now: now)
  }
  func tick(now: Int64) { relay.tick(now: now) }
  var nextDeadline: Int64 { relay.nextDeadline }
  func stop() { relay.stop() }
  func takeNotices() -> [String] { relay.takeNotices() }
}
