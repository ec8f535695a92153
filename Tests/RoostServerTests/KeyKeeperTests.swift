import EventLoops
import RoostTesting
import Telemetry
import Testing
import Tokens

@testable import RoostServer

@Suite("Key keeper", .timeLimit(.minutes(20)))
struct KeyKeeperTests {
  /// A keeper whose set is at `server`, and a flag that is set when its thread has ended.
  private func start(_ server: KeyServer) throws -> (keeper: KeyKeeper, hasEnded: StopFlag) {
    let keeper = try KeyKeeper(
      configured {
        $0.tokens.jwksURL = server.url()
        $0.tokens.jwksCAFile = server.caFile
        $0.tokens.jwksMilliseconds = 30_000
      })
    let hasEnded = StopFlag()
    onNewThread(name: "keys") {
      keeper.run([], log: Log(level: .error))
      hasEnded.set()
    }
    return (keeper, hasEnded)
  }

  /// Once the same handshake bought a second fetch, and left none for a key that is really new.
  @Test func `who was judged just before the set came asks for no other`() throws {
    let server = try KeyServer(KeySetTests.oldSet)
    defer { server.stop() }
    let (keeper, hasEnded) = try start(server)
    let before = 0
    try eventually("the set is there") { keeper.outcomes[.good] == 1 }
    keeper.stop()
    try eventually("nothing is fetched any more") { hasEnded.isSet }
    let (now, version) = (monotonicMilliseconds(), keeper.version)
    #expect(keeper.mayBecomeGood(.missingKeys, judgedBy: before, now: now) && keeper.wait(now: now) > 0)
    #expect(keeper.mayBecomeGood(.unknownKey, judgedBy: before, now: now) && keeper.wait(now: now) > 0)
    #expect(keeper.mayBecomeGood(.unknownKey, judgedBy: version, now: now) && keeper.wait(now: now) == 0)
  }

  /// Once it was refused: the minute's fetch was spent on the set that had its key.
  @Test func `who was judged while the set came is judged again`() throws {
    let server = try KeyServer(KeySetTests.oldSet)
    defer { server.stop() }
    let (keeper, hasEnded) = try start(server)
    try eventually("the set is there") { keeper.outcomes[.good] == 1 }
    let (now, before) = (monotonicMilliseconds(), keeper.version)
    #expect(keeper.mayBecomeGood(.unknownKey, judgedBy: before, now: now), "which fetches")
    try eventually("the next set is there") { keeper.outcomes[.good] == 2 }
    #expect(keeper.mayBecomeGood(.unknownKey, judgedBy: before, now: now))
    #expect(!keeper.mayBecomeGood(.unknownKey, judgedBy: keeper.version, now: now))
    keeper.stop()
    try eventually("nothing is fetched any more") { hasEnded.isSet }
  }
}
