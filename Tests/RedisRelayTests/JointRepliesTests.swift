import RealtimeCore
import Testing

@testable import RedisRelay

@Suite struct JointRepliesTests {
  private func joint(
    _ kind: JointReplies.Kind, _ replies: [RelayReply], away: [Int] = [], isOld: Bool = false
  ) throws -> (reply: RelayReply, untold: [Int]) {
    var joint = JointReplies()
    joint.begin(7, kind, servers: replies.count)
    if isOld { joint.beginRound() }
    for server in replies.indices.dropLast() {
      #expect(joint.take(replies[server], of: 7, from: server, away: away) == nil)
    }
    let whole = joint.take(replies.last!, of: 7, from: replies.count - 1, away: away)
    #expect(joint.count == 0)
    return try #require(whole)
  }

  private let alive = RelayReply.alive(nodes: [], expired: [])

  @Test func `Presence waits for a server that fails for a moment, and goes without one that is away`() throws {
    let replies: [RelayReply] = [.presenceChanged, .failed(.outcomeUnknown)]
    let brief = try joint(.presence, replies)
    #expect(brief.reply.failure == .outcomeUnknown && brief.untold.isEmpty)
    let without = try joint(.presence, replies, away: [1])
    #expect(without.reply.failure == nil && without.untold == [1])
    #expect(try joint(.presence, replies, away: [1], isOld: true).untold.isEmpty, "it is told of everything anyway")
  }

  @Test func `Presence goes without a server that refuses it`() throws {
    let whole = try joint(.presence, [.failed(.refused(.diskError)), .presenceChanged])
    #expect(whole.reply.failure == nil && whole.untold == [0])
  }

  @Test func `A lease is good when one server is, and all who took no part in its beginning are told again`() throws {
    let replies = [.failed(.unavailable), alive, .failed(.refused(.diskError))]
    #expect(try joint(.registration, replies, away: [0]).untold == [0, 2])
    #expect(try joint(.lease, replies, away: [0]).untold.isEmpty)
    #expect(try joint(.lease, replies).reply.failure == .unavailable)
    #expect(try joint(.lease, [.failed(.unavailable), .failed(.unavailable)], away: [0, 1]).reply.failure != nil)
  }

  @Test func `One server that calls the lease over is enough`() throws {
    for kind in [JointReplies.Kind.lease, .registration, .presence] {
      #expect(try joint(kind, [alive, .fenced, .failed(.unavailable)]).reply.isFenced)
    }
  }

  @Test func `Who is dead anywhere is dead, once`() throws {
    let replies = [["a"], ["b", "a"]].map { RelayReply.alive(nodes: [], expired: $0) }
    guard case .alive(_, let expired) = try joint(.lease, replies).reply else { return #expect(Bool(false)) }
    #expect(expired == ["a", "b"])
  }
}
