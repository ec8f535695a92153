public import EventLoops
import WebSocketCore

/// Many scripted clients on one thread of their own, which tell everything they hear in order: for tests of whole
/// clusters.
///
/// ```swift
/// let swarm = try Swarm(seed: 1)
/// let alice = await swarm.open(endpoint)
/// await swarm.send(#"{"type":"join_room","payload":{"room_id":"r"}}"#, from: alice)
/// for event in await swarm.events(within: 1_000) { … }
/// await swarm.stop()
/// ```
public actor Swarm {
  nonisolated let loop: EventLoop
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
  private var core: SwarmCore<Recorder>
  private var isStopped = false

  /// - Parameter seed: makes the masks.
  public init(seed: UInt64) throws(SystemError) {
    loop = try EventLoop()
    core = SwarmCore(Recorder(), loop: loop, seed: seed)
    onNewThread(name: "swarm") { self.run() }
  }

  private nonisolated func run() {
    loop.adopt()
    assumeIsolated { $0.runUntilStopped() }
  }

  private func runUntilStopped() {
    while !isStopped { if core.turn() { loop.drainJobs() } }
    // Whoever still has a call under way gets its answer.
    loop.drainJobs()
  }

  /// Starts a client. Names count 0, 1, 2 …; `.opened` or `.ended` follows.
  public func open(_ endpoint: Endpoint) -> Int {
    let tag = core.driver.nextTag()
    do {
      try core.wire.open(endpoint, tag: tag)
    } catch {
      core.driver.note(tag, .ended(.failed(error.code)), at: monotonicMilliseconds())
    }
    return tag
  }

  /// Starts clients with one call, which saves two changes of thread for each; their names, in order.
  public func open(_ endpoints: [Endpoint]) -> [Int] { endpoints.map { open($0) } }

  /// Says `text`; nothing when the client is not open.
  public func send(_ text: String, from client: Int) {
    guard let slot = core.driver.slots[client] else { return }
    core.wire.send(unsafe text.utf8Span.span.bytes, from: slot)
  }

  /// Says everything in order with one call: an item is a client and its text.
  public func send(_ texts: [(client: Int, text: String)]) {
    for item in texts { send(item.text, from: item.client) }
  }

  /// Starts the closing handshake; `.ended` follows.
  public func close(_ client: Int, code: UInt16 = 1_000) {
    guard let slot = core.driver.slots[client] else { return }
    core.wire.close(slot, code: CloseCode(rawValue: code))
  }

  /// Ends the connection by a reset, as a lost network would. No event follows.
  public func drop(_ client: Int) {
    guard let slot = core.driver.slots[client] else { return }
    core.driver.forget(client)
    core.wire.drop(slot)
  }

  /// Drops several.
  public func drop(_ clients: [Int]) { for client in clients { drop(client) } }

  /// What happened since the last call, as soon as there is anything; empty after `milliseconds` of silence.
  public func events(within milliseconds: Int) async -> [SwarmEvent] {
    if !core.driver.hasEvents && milliseconds > 0 {
      let deadline = monotonicMilliseconds() + Int64(milliseconds)
      await withCheckedContinuation { core.driver.wait($0, until: deadline) }
    }
    return core.driver.takeEvents()
  }

  /// Ends the thread. Connections are closed by the kernel when the swarm is released.
  public func stop() { isStopped = true }
}
