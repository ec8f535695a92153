import Glibc
import Testing

@testable import RoostTesting

/// Many tests start programs at the same time; what one inherits of another's, the other waits for.
@Suite("processes of tests", .timeLimit(.minutes(30)))
struct TestProcessTests {
  @Test func `what a test holds open is not held by the programs of others`() throws {
    var ends: [CInt] = [-1, -1]
    // As Foundation makes pipes: to be inherited.
    try #require(unsafe pipe(&ends) == 0)
    defer { close(ends[0]) }
    let process = try TestProcess(["sleep", "600"])
    close(ends[1])
    var asked = pollfd(fd: ends[0], events: CShort(POLLIN), revents: 0)
    // A program that another test starts at this moment has everything until it has closed it.
    #expect(unsafe poll(&asked, 1, 120_000) == 1 && asked.revents & CShort(POLLHUP) != 0)
    process.kill()
  }

  @Test func `signals blocked here are not blocked there`() throws {
    var (signals, before) = (sigset_t(), sigset_t())
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe pthread_sigmask(SIG_BLOCK, &signals, &before)
    let process = try TestProcess(["sleep", "600"])
    unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    process.signal(SIGTERM)
    #expect(process.ended() == 128 + SIGTERM)
  }

  @Test func `what is said is read up to a word, and to the end`() throws {
    let process = try TestProcess(["sh", "-c", "echo one; read word; echo $word two >&2; exit 3"])
    #expect(process.says("one"))
    #expect(!process.says("three"))
    #expect(process.ended() == 3)
    #expect(process.text == "one\ntwo\n")
  }

  @Test func `its input ends with it, and its output may leave out errors`() throws {
    #expect(try TestProcess.output(["sh", "-c", "echo said; echo wrong >&2; cat"]) == "said\n")
    let waits = try TestProcess(["sh", "-c", "echo there; cat"], hasInput: true)
    #expect(waits.says("there"))
    waits.kill()
    #expect(waits.ended() == 128 + SIGKILL)
    #expect(throws: TestProcess.Failure.self) { try TestProcess(["no-such-program-anywhere"]) }
  }
}
