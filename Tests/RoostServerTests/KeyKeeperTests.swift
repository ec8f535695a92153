import EventLoops
import RoostTesting
import Telemetry
import Testing
import Tokens

@testable import RoostServer

@Suite("Key keeper", .timeLimit(.minutes(5)))
struct KeyKeeperTests {
  /// Once the same handshake bought a second fetch, and left none for a key that is really new.
  @Test func `who was judged just before the set came asks for no other`() throws {
    let server = try KeyServer(KeySetTests.oldSet)
    defer { server.stop() }
    let keeper = try KeyKeeper(
      configured {
        $0.tokens.jwksURL = server.url()
        $0.tokens.jwksCAFile = server.caFile
      })
    let hasEnded = StopFlag()
    onNewThread(name: "keys") {
      keeper.run([], log: Log(level: .error))
      hasEnded.set()
    }
    try eventually("the set is there") { keeper.outcomes[.good] == 1 }
    keeper.stop()
    try eventually("nothing is fetched any more") { hasEnded.isSet }
    let now = monotonicMilliseconds()
    #expect(keeper.mayBecomeGood(.missingKeys, now: now) && keeper.wait(now: now) > 0)
    #expect(keeper.mayBecomeGood(.unknownKey, now: now) && keeper.wait(now: now) == 0)
  }
}
