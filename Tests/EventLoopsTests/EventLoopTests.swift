import EventLoops
import Synchronization
import Testing

@Suite("Event loop", .timeLimit(.minutes(30)))
struct EventLoopTests {
  /// An actor whose executor is a loop, as shards are.
  private actor Resident {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private var events = EventBuffer(capacity: 8)
    private var turns = 0
    private var isStopped = false

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated func run() {
      loop.adopt()
      assumeIsolated { $0.runUntilStopped() }
    }

    private func runUntilStopped() {
      while !isStopped {
        turns += 1
        if loop.wait(into: &events, timeout: -1) { loop.drainJobs() }
      }
    }

    func add(_ number: Int) -> Int { turns + number }
    func stop() { isStopped = true }
  }

  @Test func `awaits are served between turns of a loop that runs inside its actor`() async throws {
    let resident = Resident(try EventLoop())
    onNewThread(name: "resident") { resident.run() }
    for number in 1...100 { #expect(await resident.add(number) > number) }
    await resident.stop()
  }

  @Test func `a wake ends one wait and leaves no event behind`() throws {
    let loop = try EventLoop()
    var events = EventBuffer(capacity: 4)
    #expect(!loop.wait(into: &events, timeout: 0))
    loop.wake()
    loop.wake()
    #expect(loop.wait(into: &events, timeout: -1))
    #expect(events.count == 0)
    #expect(!loop.wait(into: &events, timeout: 0))
  }

  @Test func `a mailbox keeps the order of each sender and wakes once per batch`() throws {
    let loop = try EventLoop()
    let mailbox = Mailbox<Int>(wakes: loop)
    var events = EventBuffer(capacity: 4)
    mailbox.post(1)
    var more = [2, 3]
    mailbox.post(contentsOf: &more)
    #expect(more.isEmpty)
    #expect(loop.wait(into: &events, timeout: -1))
    var inbox: [Int] = []
    mailbox.take(into: &inbox)
    #expect(inbox == [1, 2, 3])
    #expect(!loop.wait(into: &events, timeout: 0))
    inbox.removeAll()
    mailbox.take(into: &inbox)
    #expect(inbox.isEmpty)
  }

  @Test func `values of many threads arrive, each sender's in order`() throws {
    let loop = try EventLoop()
    let mailbox = Mailbox<(sender: Int, number: Int)>(wakes: loop)
    for sender in 0..<4 {
      onNewThread(name: "sender") { for number in 0..<1_000 { mailbox.post((sender, number)) } }
    }
    var events = EventBuffer(capacity: 4)
    var next = [0, 0, 0, 0]
    var inbox: [(sender: Int, number: Int)] = []
    while next.reduce(0, +) < 4_000 {
      #expect(loop.wait(into: &events, timeout: 120_000))
      inbox.removeAll(keepingCapacity: true)
      mailbox.take(into: &inbox)
      for (sender, number) in inbox {
        #expect(number == next[sender])
        next[sender] += 1
      }
    }
  }
}
