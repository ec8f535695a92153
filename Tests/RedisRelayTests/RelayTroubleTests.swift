import EventLoops
import Glibc
import RealtimeCore
import Synchronization
import Testing

@testable import RedisRelay

struct RelayTroubleTests {
  @Test(arguments: [
    ("NOAUTH Authentication required.", RelayTrouble.authentication),
    ("WRONGPASS invalid username-password pair or user is disabled.", .authentication),
    ("ERR AUTH <password> called without any password configured for the default user.", .authentication),
    ("NOPERM this user has no permissions to run the 'info' command", .noPermission),
    ("ERR The user executing the script can't run this command or subcommand script: 1", .noPermission),
    ("ERR ACL failure in script: No permissions to access a key script: on @user_script:1.", .noPermission),
    ("LOADING Redis is loading the dataset in memory", .loading),
    ("BUSY Redis is busy running a script.", .busy),
    ("MISCONF Redis is configured to save RDB snapshots, but", .diskError),
    ("OOM command not allowed when used memory > 'maxmemory'.", .outOfMemory),
    ("READONLY You can't write against a read only replica.", .readOnly),
    ("MASTERDOWN Link with MASTER is down", .masterDown),
    ("NOREPLICAS Not enough good replicas to write.", .tooFewReplicas),
    ("WRONGTYPE Operation against a key holding the wrong kind of value", .wrongType),
    ("CLUSTERDOWN Hash slot not served", .clusterMode),
    ("ERR SELECT is not allowed in cluster mode", .clusterMode),
    ("ERR max number of clients reached", .tooManyClients),
    ("NOSCRIPT No matching script.", .scriptsLost),
    ("OLDSESSION another session of this node", .oldSession),
    ("TOPOLOGY the nodes of this cluster have rooms, this one has broadcast", .otherTopology),
    ("ERR user_script:3: attempt to index a nil value", .other),
    ("", .other),
  ])
  func `Redis' words have one meaning each`(_ text: String, _ trouble: RelayTrouble) {
    #expect(RelayTrouble(errorReply: text) == trouble)
  }

  @Test func `Every word is stable and fit for a label`() {
    #expect(Set(RelayTrouble.allCases.map(\.rawValue)).count == RelayTrouble.allCases.count)
    for trouble in RelayTrouble.allCases {
      #expect(trouble.rawValue.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 }, "\(trouble.rawValue)")
    }
  }

  @Test func `An answer of no is not asked again at once`() {
    for trouble in RelayTrouble.allCases where trouble.endsConnection {
      let isAnswer = ![.unreachable, .timeout, .nonsense, .deafSubscriber, .scriptsLost].contains(trouble)
      #expect(!isAnswer || trouble.pause >= 500, "\(trouble)")
    }
  }

  @Test func `Refusals are remembered until accepted, and blocking ones count from their first`() {
    var refusals = Refusals()
    let news = [
      refusals.refused(.publishing, .outOfMemory, now: 100), refusals.refused(.publishing, .outOfMemory, now: 200),
      refusals.refused(.probing, .busy, since: 50, now: 300),
    ]
    #expect(news == [true, false, true])
    #expect(refusals.blockedSince == 50 && refusals.trouble == .outOfMemory)
    refusals.accepted(.probing)
    #expect(refusals.blockedSince == 100)
    refusals.forgetOld(now: 1_000_000)
    #expect(refusals.trouble == .outOfMemory)
    refusals.accepted(.publishing)
    #expect(refusals.blockedSince == nil && refusals.trouble == nil && refusals.isEmpty)
  }

  @Test func `A room's own trouble blocks nobody, is forgotten in time, and is bounded`() {
    var refusals = Refusals()
    for number in 0..<1_000 {
      _ = refusals.refused(.room(RoomName("r\(number)")!), .wrongType, now: Int64(number))
    }
    #expect(refusals.blockedSince == nil && refusals.trouble == .wrongType)
    #expect(refusals.isRefused(.room(RoomName("r63")!)) && !refusals.isRefused(.room(RoomName("r64")!)))
    #expect(refusals.deadline == Refusals.memory)
    refusals.forgetOld(now: Refusals.memory + 63)
    #expect(refusals.isEmpty && refusals.deadline == nil)
  }

  @Test func `An old Redis, a replica and a cluster are told apart`() {
    let ids = "run_id:\(String(repeating: "a", count: 40))\nmaster_replid:\(String(repeating: "b", count: 40))\n"
    func trouble(_ info: String) -> RelayTrouble? {
      var server = ServerInfo()
      server.take(ids + info)
      return server.refusal?.trouble
    }
    #expect(trouble("redis_version:7.0.15\nrole:master") == nil)
    #expect(trouble("redis_version:7.2.4\nvalkey_version:9.1.2\nrole:master") == nil)
    #expect(trouble("redis_version:10.1.0\nrole:master") == nil)
    #expect(trouble("redis_version:6.2.7\nrole:master") == .tooOld)
    #expect(trouble("redis_version:7.0.15\nrole:slave") == .readOnly)
    #expect(trouble("redis_version:7.0.15\nrole:master\ncluster_enabled:1") == .clusterMode)
  }

  @Test func `Settings that will hurt are warned of, good ones are not`() throws {
    let (memory, buffer) = (ServerAdvice.memory, ServerAdvice.pubsubBuffer)
    #expect(memory.warning("maxmemory:0\r\nmaxmemory_policy:noeviction\r\n") == nil)
    #expect(try #require(memory.warning("maxmemory:9\nmaxmemory_policy:allkeys-lru\n")).contains("allkeys-lru"))
    #expect(try #require(memory.warning("maxmemory:0\nmaxmemory_policy:volatile-ttl\n")).contains("nothing yet"))
    #expect(try #require(memory.warning("used_memory:1")).contains("could not check"))
    let normal = "normal 0 0 0 slave 268435456 67108864 60 pubsub "
    #expect(buffer.warning(normal + "33554432 8388608 60") == nil)
    #expect(buffer.warning(normal + "0 0 0") == nil)
    #expect(try #require(buffer.warning(normal + "1048576 0 0")).contains("1048576"))
    #expect(try #require(buffer.warning(normal + "33554432 1000 60")).contains("1000"))
    #expect(try #require(buffer.warning("normal 0 0 0")).contains("could not check"))
    #expect(try #require(buffer.warning(nil)).contains("could not check"))
  }

  /// A name whose address changes, as after a failover: every reconnect may lead elsewhere.
  @Test func `A name is asked for again, and its new address is taken`() throws {
    let book = AddressBook(1)
    var resolver = Resolver(place: .host("redis.example", port: 6_379), wake: {}) { book.look(up: $0, $1) }
    /// The answer comes from another thread.
    func ask(_ now: Int64, until host: String) -> Bool {
      for _ in 0..<1_000_000 {
        if resolver.address(now: now)?.host == host { return true }
        sched_yield()
      }
      return false
    }
    #expect(ask(0, until: "127.0.0.1"))
    book.write(2)
    let soon = resolver.address(now: 500)?.host
    #expect(soon == "127.0.0.1", "asked a moment ago")
    #expect(ask(1_500, until: "127.0.0.2"))
    book.write(0)
    let unanswered = ask(3_000, until: "127.0.0.2")
    #expect(unanswered, "no answer: the last one serves")
  }
}

extension RelayTroubleTests {
  /// A host that nobody knows: there is no connection that could fail, and still it is said what is wrong.
  @Test func `A name without an address is told`() throws {
    let settings = try RedisRelayConfiguration(server: RedisURL("redis://redis.example"), nodeID: "n1")
    let surroundings = RelaySurroundings(
      secret: { String(repeating: "0", count: $0) }, wallClock: { 1_760_000_000_000 }, wake: {})
    var relay = RedisRelay(
      configuration: settings, command: IdleWire(), subscriber: IdleWire(), surroundings: surroundings, seed: 1)
    let book = AddressBook(0)
    relay.resolver = Resolver(place: settings.server.place, wake: {}) { book.look(up: $0, $1) }
    relay.start(now: 0)
    #expect(relay.takeNotices() == [], "nobody has answered yet")
    var (now, notices): (Int64, [String]) = (0, [])
    for _ in 0..<1_000_000 where notices.isEmpty {
      // The answer comes from another thread.
      sched_yield()
      now += 100
      relay.tick(now: now)
      notices = relay.takeNotices()
    }
    #expect(notices == ["redis://redis.example:6379/0: the host's name has no address [unreachable]"])
    var events: [RelayEvent] = []
    relay.takeEvents(into: &events)
    #expect(events.contains { if case .trouble(.unreachable) = $0 { true } else { false } })
    for _ in 0..<100 {
      now += 100
      relay.tick(now: now)
    }
    #expect(relay.takeNotices() == [], "once is enough")
  }
}

/// A wire that leads nowhere.
private final class IdleWire: RedisWire {
  func connect(to address: Address) throws(SystemError) {}
  func finishConnecting() throws(SystemError) -> Bool { false }
  func receive(into buffer: inout MutableRawSpan) -> IOResult { .wouldBlock }
  func send(_ bytes: borrowing RawSpan) -> IOResult { .wouldBlock }
  func watch(writing: Bool) {}
  var holdsMore: Bool { false }
  var failure: String? { nil }
  func close() {}
}

/// One name, whose address ends with a number that can be changed; 0: it has none.
private final class AddressBook: Sendable {
  private let number: Atomic<Int>
  init(_ number: Int) { self.number = Atomic(number) }
  func write(_ number: Int) { self.number.store(number, ordering: .relaxed) }
  func look(up name: String, _ port: UInt16) -> [Address] {
    let number = number.load(ordering: .relaxed)
    return number == 0 ? [] : Address(host: "127.0.0.\(number)", port: port).map { [$0] } ?? []
  }
}
