import EventLoops
import Glibc
import RoostClient
import RoostTesting
import Synchronization
import Testing

/// Four clients talk over two nodes while their connections are cut, all at once, again and again.
///
/// The number of cuts decides when it is over, not time, so that slow machines come to the same verdict.
/// `ROOST_CLIENT_CUTS` and `ROOST_CLIENT_PAUSE`, the milliseconds between two cuts, make it longer: `make client-test`.
@Suite("Swift client under cuts", .serialized, .timeLimit(.minutes(20)))
struct SwiftClientCutTests {
  private static let cuts = number("ROOST_CLIENT_CUTS") ?? 8
  private static let pause = Int64(number("ROOST_CLIENT_PAUSE") ?? 0)

  private static func number(_ name: String) -> Int? {
    unsafe getenv(name).flatMap { Int(unsafe String(cString: $0)) }
  }

  /// Two tasks of each client, for more than one message at a time on its way.
  private static let voices = ["a", "b"]
  /// Of each voice in a round. All clients' together are fewer than what a room remembers: nobody can be further behind
  /// than two rounds, because acks come in their places in the order.
  private static let messages = 10

  private struct Person {
    /// Ann has two devices.
    let name: String
    let client: RoostClient
  }

  private static func people(_ gates: [FaultProxy]) throws -> [Person] {
    try ["ann", "ben", "cem", "ann"].enumerated().map { index, name in
      let url = "ws://127.0.0.1:\(gates[index % 2].port)/ws"
      var configuration = ClientConfiguration(url: url, token: try SwiftClientTests.token(name))
      (configuration.backoff, configuration.longestBackoff) = (.milliseconds(200), .seconds(2))
      return Person(name: "\(name)\(index)", client: try RoostClient(configuration))
    }
  }

  /// Every voice says its messages of this round; `halfway` is called when half of all are stored.
  private static func talk(
    _ people: [Person], round: Int, _ halfway: @escaping @Sendable () -> Void
  ) async throws -> [(person: Int, offset: Int)] {
    let all = people.count * voices.count * messages
    let stored = Counter()
    return try await withThrowingTaskGroup(of: (person: Int, offsets: [Int]).self) { group in
      for (index, person) in people.enumerated() {
        for voice in voices {
          group.addTask {
            var offsets: [Int] = []
            for number in 0..<messages {
              let content = "\(person.name) \(voice) \(round * messages + number)"
              offsets.append(try await person.client.sendMessage(content, to: "cut").offset)
              if stored.next() == all / 2 { halfway() }
              if pause > 0 { try await Task.sleep(for: .milliseconds(20)) }
            }
            return (index, offsets)
          }
        }
      }
      var receipts: [(person: Int, offset: Int)] = []
      for try await (person, offsets) in group { receipts += offsets.map { (person, $0) } }
      return receipts
    }
  }

  private final class Counter: Sendable {
    private let value = Mutex(0)
    func next() -> Int {
      value.withLock {
        $0 += 1
        return $0
      }
    }
  }

  /// Rounds until there were enough cuts. With each, those of one node go to the other.
  private static func rounds(
    _ people: [Person], _ gates: [FaultProxy], _ ports: [UInt16]
  ) async throws -> (receipts: [(person: Int, offset: Int)], rounds: Int) {
    var receipts: [(person: Int, offset: Int)] = []
    var (cuts, round, lastCut) = (0, 0, monotonicMilliseconds())
    while cuts < Self.cuts {
      let isCut = monotonicMilliseconds() >= lastCut + pause
      let before = gates.map(\.connections)
      let turn = cuts
      receipts += try await talk(people, round: round) {
        guard isCut else { return }
        for (index, gate) in gates.enumerated() {
          gate.order(.target(ports[(index + turn + 1) % 2]))
          gate.order(.cut(.all))
        }
      }
      round += 1
      guard isCut else { continue }
      (cuts, lastCut) = (cuts + 1, monotonicMilliseconds())
      try await ClusterUnderTest.eventually("they come back through both proxies", seconds: 120) {
        zip(gates, before).allSatisfy { $0.connections > $1 }
      }
    }
    return (receipts, round)
  }

  @Test func `nothing is lost, doubled or out of order`() async throws {
    let cluster = try await ClusterUnderTest(nodes: 2)
    let ports = cluster.nodes.map(\.port)
    let gates = try ports.map { try FaultProxy(target: $0, seed: 31) }
    let people = try Self.people(gates)
    for person in people {
      try await person.client.connect()
      try await person.client.joinRoom("cut")
    }
    let begin = monotonicMilliseconds()
    async let first = SwiftClientTests.contents(people[0].client, until: "end")
    async let second = SwiftClientTests.contents(people[1].client, until: "end")
    async let third = SwiftClientTests.contents(people[2].client, until: "end")
    async let fourth = SwiftClientTests.contents(people[3].client, until: "end")
    let (receipts, rounds) = try await Self.rounds(people, gates, ports)
    let seconds = (monotonicMilliseconds() - begin) / 1_000
    // What is doubled would come before this.
    let witness = try RoostClient(
      ClientConfiguration(url: "ws://127.0.0.1:\(ports[0])/ws", token: SwiftClientTests.token("dan")))
    try await witness.connect()
    try await witness.joinRoom("cut")
    try await witness.sendMessage("end", to: "cut")
    let heard = await [first, second, third, fourth]

    // 1, 2, 3 …: each message has one place, and none was stored twice.
    #expect(receipts.map(\.offset).sorted() == Array(1...receipts.count))
    for (index, person) in people.enumerated() {
      let others = receipts.filter { $0.person != index }.map(\.offset).sorted()
      #expect(heard[index].offsets == others + [receipts.count + 1], "\(person.name): lost, doubled or out of order")
      #expect(heard[index].missed == 0, "\(person.name)")
      for other in people where other.name != person.name {
        for voice in Self.voices {
          let words = "\(other.name) \(voice) "
          let said = heard[index].contents.filter { $0.hasPrefix(words) }
          #expect(said == (0..<rounds * Self.messages).map { "\(words)\($0)" }, "\(person.name) of \(other.name)")
        }
      }
    }
    let connections = gates.map(\.connections)
    #expect(connections.allSatisfy { $0 >= 2 + Self.cuts }, "\(connections)")
    print(
      "\(receipts.count) messages of \(people.count) clients in \(seconds) s, \(Self.cuts) cuts,",
      "\(connections.reduce(0, +)) connections: 0 lost, 0 doubled, unless an expectation failed")
    for client in people.map(\.client) + [witness] { await client.disconnect() }
  }
}
