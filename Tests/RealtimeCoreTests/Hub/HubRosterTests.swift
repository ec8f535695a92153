import RealtimeCore
import RoostTesting
import Testing

@Suite struct HubRosterTests {
  private func events(_ cluster: HubCluster, _ member: HubCluster.Member) -> [String] {
    cluster.views[member]?.events ?? ["nobody"]
  }

  @Test func `after a time without frames members are told the difference in one go`() {
    let cluster = HubCluster(nodes: 2)
    let ann = cluster.join(1, "ann", on: 1)
    let bob = cluster.join(2, "bob", on: 0)
    cluster.settle()
    #expect(events(cluster, ann) == ["+bob"])
    cluster.cut(1)
    cluster.leave(bob)
    cluster.join(3, "cid", on: 0)
    let dan = cluster.join(4, "dan", on: 0)
    cluster.leave(dan)
    cluster.settle()
    #expect(events(cluster, ann) == ["+bob"])
    cluster.resubscribe(1)
    cluster.settle()
    #expect(events(cluster, ann) == ["+bob", "-bob", "+cid"])
  }

  /// The newcomer's roster is younger than the frames that his node has seen, or older: both views end as the room is.
  @Test(arguments: [true, false])
  func `what a newcomer is shown and what follows make up the room`(framesFirst: Bool) {
    let cluster = HubCluster(nodes: 2)
    let ann = cluster.join(1, "ann", on: 1)
    let bob = cluster.join(2, "bob", on: 0)
    cluster.settle()
    let cid = cluster.join(3, "cid", on: 1)
    cluster.deliver(1, frames: false)
    cluster.leave(bob)
    cluster.join(4, "dan", on: 0)
    cluster.deliver(0, frames: false)
    cluster.deliver(1, frames: framesFirst)
    cluster.deliver(1, frames: !framesFirst)
    cluster.settle()
    for member in [ann, cid] {
      #expect(cluster.views[member]?.users == ["ann", "cid", "dan"])
      #expect(cluster.views[member]?.contradictions == [])
    }
    #expect(events(cluster, ann).sorted() == ["+bob", "+cid", "+dan", "-bob"])
  }

  @Test func `a frame lost in silence is noticed by the next one's count`() {
    let cluster = HubCluster(nodes: 2)
    let ann = cluster.join(1, "ann", on: 1)
    cluster.settle()
    cluster.join(2, "bob", on: 0)
    cluster.deliver(0, frames: false)
    cluster.loseFrame(1)
    cluster.join(3, "cid", on: 0)
    cluster.settle()
    #expect(events(cluster, ann).sorted() == ["+bob", "+cid"])
  }

  @Test func `coming back on another node within the grace is told nobody`() {
    let cluster = HubCluster(nodes: 2)
    let (ann, zoe) = (cluster.join(1, "ann", on: 0), cluster.join(2, "zoe", on: 1))
    let bob = cluster.join(3, "bob", on: 0)
    cluster.settle()
    cluster.lose(bob)
    cluster.advance(1_900)
    let again = cluster.join(4, "bob", on: 1)
    cluster.advance(10_000)
    #expect(events(cluster, ann) == ["+zoe", "+bob"] && events(cluster, zoe) == ["+bob"])
    cluster.lose(again, .left)
    cluster.settle()
    #expect(events(cluster, ann).last == "-bob" && events(cluster, zoe).last == "-bob")
  }

  @Test func `fast flapping ends in the last state`() {
    let cluster = HubCluster(nodes: 2)
    let ann = cluster.join(1, "ann", on: 1)
    cluster.settle()
    for slot in 2..<UInt32(20) { cluster.leave(cluster.join(slot, "bob", on: Int(slot) % 2)) }
    cluster.settle()
    #expect(cluster.relay.users(of: cluster.room) == ["ann"] && cluster.views[ann]?.users == ["ann"])
    cluster.join(20, "bob", on: 0)
    cluster.settle()
    #expect(cluster.relay.users(of: cluster.room) == ["ann", "bob"] && cluster.views[ann]?.users == ["ann", "bob"])
    #expect(cluster.views[ann]?.contradictions == [])
  }

  @Test func `who comes back elsewhere from a node that drains never left`() {
    let cluster = HubCluster(nodes: 2)
    let ann = cluster.join(1, "ann", on: 1)
    let (bob, cid) = (cluster.join(2, "bob", on: 0), cluster.join(3, "cid", on: 0))
    cluster.settle()
    cluster.depart(0)
    cluster.lose(bob)
    cluster.lose(cid)
    cluster.advance(3_000)
    cluster.join(4, "bob", on: 1)
    cluster.settle()
    #expect(events(cluster, ann) == ["+bob", "+cid"])
    cluster.reap(0)
    cluster.settle()
    #expect(events(cluster, ann) == ["+bob", "+cid", "-cid"])
  }

  @Test func `a node that was reaped in its sleep makes its users known again`() {
    let cluster = HubCluster(nodes: 2)
    let (ann, bob) = (cluster.join(1, "ann", on: 1), cluster.join(2, "bob", on: 0))
    cluster.join(3, "cid", on: 0)
    cluster.join(4, "cid", on: 1)
    cluster.settle()
    cluster.reap(0)
    cluster.settle()
    #expect(events(cluster, ann).last == "-bob")
    cluster.advance(3_000)
    #expect(events(cluster, ann).filter { $0.hasSuffix("bob") } == ["+bob", "-bob", "+bob"])
    #expect(!events(cluster, ann).contains("-cid"), "he is here, too")
    for member in [ann, bob] {
      #expect(cluster.views[member]?.users == ["ann", "bob", "cid"] && cluster.views[member]?.contradictions == [])
    }
  }

  /// Each node finds out in its own time that the relay lost everything.
  @Test func `after the relay lost its memory nobody leaves who is back within a lease`() {
    let cluster = HubCluster(nodes: 3)
    let (ann, bob) = (cluster.join(1, "ann", on: 0), cluster.join(2, "bob", on: 1))
    let cid = cluster.join(3, "cid", on: 2)
    cluster.settle()
    let before = [ann, bob, cid].map { events(cluster, $0) }
    cluster.loseRelay()
    cluster.lose(cid)
    for node in 0..<3 {
      cluster.advance(2_000)
      cluster.meetGeneration(node)
      cluster.settle()
    }
    cluster.join(4, "dan", on: 2)
    cluster.advance(1_000)
    #expect(events(cluster, ann) == before[0] + ["+dan"])
    cluster.advance(6_000)
    #expect(events(cluster, ann) == before[0] + ["+dan", "-cid"])
    #expect(cluster.views[bob]?.users == ["ann", "bob", "dan"])
  }

  @Test func `ten thousand rooms are refreshed sixteen at a time`() {
    let cluster = HubCluster(nodes: 1)
    for user in 0..<UInt32(100) {
      let rooms = (0..<100).map { RoomName("room-\(user)-\($0)")! }
      cluster.join(user, "u\(user)", on: 0, rooms: rooms)
      cluster.settle()
    }
    cluster.forgetQuestions()
    cluster.resubscribe(0)
    cluster.settle()
    #expect(cluster.relay.rosterQuestions == 10_000)
    #expect(cluster.mostRostersAsked == 16)
  }
}

@Suite struct BigRoomTests {
  @Test func `a thousand joins cost each member few messages`() throws {
    let cluster = HubCluster(nodes: 2)
    var members: [HubCluster.Member] = []
    for slot in 0..<UInt32(1_000) {
      members.append(cluster.join(slot, "u\(slot)", on: Int(slot) % 2))
      cluster.advance(10, step: 10)
    }
    #expect(cluster.eventsGiven <= 200 * 200 / 2, "\(cluster.eventsGiven)")
    cluster.advance(2_000)
    let first = try #require(cluster.views[members[0]])
    #expect(first.syncs.last == 1_000 && (1...11).contains(first.syncs.count), "\(first.syncs)")
    let last = try #require(cluster.views[members[999]])
    #expect(last.count == 1_000 && last.users.count == 100 && last.users.contains("u999"))
    let told = first.syncs
    cluster.advance(5_000)
    #expect(cluster.views[members[0]]?.syncs == told, "only when it changed")
  }

  @Test func `back under 160 a room is told by events again`() throws {
    let cluster = HubCluster(nodes: 2)
    let members = (0..<UInt32(210)).map { cluster.join($0, "u\($0)", on: Int($0) % 2) }
    cluster.advance(2_000)
    let before = try #require(cluster.views[members[0]])
    #expect(before.syncs == [210])
    for member in members[160...] { cluster.leave(member) }
    cluster.advance(2_000)
    #expect(cluster.views[members[0]]?.syncs == [210, 160], "160 is not under 160")
    cluster.leave(members[159])
    cluster.advance(2_000)
    #expect(cluster.views[members[0]]?.syncs == [210, 160, 159])
    #expect(cluster.views[members[0]]?.events == before.events)
    cluster.leave(members[158])
    cluster.join(500, "zoe", on: 1)
    cluster.settle()
    #expect(cluster.views[members[0]]?.events == before.events + ["-u158", "+zoe"])
    #expect(cluster.views[members[0]]?.syncs.count == 3)
  }

  @Test func `the count stays while the nodes make their users known again`() {
    let cluster = HubCluster(nodes: 2)
    let members = (0..<UInt32(210)).map { cluster.join($0, "u\($0)", on: Int($0) % 2) }
    cluster.advance(2_000)
    cluster.loseRelay()
    cluster.meetGeneration(0)
    cluster.advance(4_000)
    cluster.meetGeneration(1)
    cluster.advance(6_000)
    #expect(cluster.views[members[0]]?.syncs == [210] && cluster.views[members[1]]?.syncs == [210])
  }

  @Test func `who leaves a big room has stopped typing`() {
    let cluster = HubCluster(nodes: 2)
    let members = (0..<UInt32(201)).map { cluster.join($0, "u\($0)", on: Int($0) % 2) }
    cluster.settle()
    cluster.type(members[1])
    cluster.settle()
    #expect(cluster.texts[members[0]]?.last == "user_typing")
    cluster.reap(1)
    cluster.settle()
    #expect(cluster.texts[members[0]]?.last == "user_stopped_typing")
  }

  @Test func `who is reaped has stopped typing`() {
    let cluster = HubCluster(nodes: 2)
    let (ann, bob) = (cluster.join(1, "ann", on: 0), cluster.join(2, "bob", on: 1))
    cluster.settle()
    cluster.type(bob)
    cluster.settle()
    cluster.reap(1)
    cluster.advance(1_000)
    cluster.advance(10_000)
    let texts = cluster.texts[ann] ?? []
    #expect(texts.filter { $0.hasPrefix("user_") } == ["user_joined", "user_typing", "user_left", "user_joined"])
  }

  /// As when they are on another of several servers, which is away: a few questions at a time is all there may be.
  @Test func `rooms whose rosters fail do not hold up the others`() {
    let hub = HubHarness()
    for number in 0..<40 { _ = hub.member(UInt32(number), user: "u\(number)", room: "r\(number)") }
    // The last ones are asked about first.
    let away = Set((20..<40).map { "r\($0)" })
    var told: Set<String> = []
    hub.holdsRequests = true
    hub.tell(.resubscribed)
    for _ in 0..<1_000 where told.count < 20 {
      guard let first = hub.held.first else {
        hub.advance(100)
        continue
      }
      guard case .roster(let room) = first.request else {
        hub.release()
        continue
      }
      if away.contains(room.text) {
        hub.held.removeFirst()
        hub.tell(.reply(first.ticket, .failed(.unavailable)))
      } else {
        told.insert(room.text)
        hub.release()
      }
    }
    #expect(told.count == 20)
  }
}
