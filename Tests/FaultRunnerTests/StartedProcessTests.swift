import Glibc
import RoostTesting
import Testing

/// What the tests' own launchers promise to other tests of the same process.
@Suite("started processes", .timeLimit(.minutes(5)))
struct StartedProcessTests {
  /// Two tests that each read to the end of a pipe which the other's server held once waited for each other for ever.
  @Test func `a server holds no pipe of ours open`() throws {
    var ends: [CInt] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    defer { close(ends[0]) }
    let server = try RedisServer()
    defer { server.stop() }
    close(ends[1])
    var end = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
    #expect(unsafe poll(&end, 1, 0) == 1 && end.revents & Int16(POLLHUP) != 0)
  }
}
