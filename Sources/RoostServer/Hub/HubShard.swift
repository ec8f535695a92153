import Buffers
import EventLoops
import RealtimeCore
import RedisRelay
import Telemetry

/// The hub's own thread, on a node with several shards.
actor HubShard {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
  private var core: HubCore

  init(
    loop: EventLoop, inbox: Mailbox<HubCommand>, shards: [Mailbox<Parcel>], isStopping: StopFlag,
    context: NodeContext, port: UInt16, log: Log
  ) throws(RedisConfigurationError) {
    self.loop = loop
    core = HubCore(
      loop: loop, times: context.loops[shards.count], inbox: inbox, shards: shards, isStopping: isStopping,
      host: try HubHost(
        context.configuration, port: port, shards: shards.count, loop: loop, report: context.hubReport, log: log))
  }

  /// The thread's body: returns when the hub was told to stop.
  nonisolated func run() {
    loop.adopt()
    assumeIsolated { $0.runUntilStopped() }
  }

  private func runUntilStopped() {
    while core.turn() { loop.drainJobs() }
  }
}

/// What the hub's thread owns.
struct HubCore: ~Copyable {
  private let loop: EventLoop
  private let times: LoopTimes
  private let inbox: Mailbox<HubCommand>
  private let shards: [Mailbox<Parcel>]
  private let isStopping: StopFlag
  private var host: HubHost
  private var events = EventBuffer(capacity: 64)
  private var commands: [HubCommand] = []
  /// The first turn waits for nothing: the relay may have something to say before anybody asks.
  private var isFirstTurn = true
  /// What one shard gets, on its way into the mailbox.
  private var outgoing = Outgoing()

  init(
    loop: EventLoop, times: LoopTimes, inbox: Mailbox<HubCommand>, shards: [Mailbox<Parcel>], isStopping: StopFlag,
    host: consuming HubHost
  ) {
    (self.loop, self.times, self.inbox, self.shards, self.isStopping) = (loop, times, inbox, shards, isStopping)
    self.host = host
  }

  /// False when the hub was told to stop.
  mutating func turn() -> Bool {
    let now = monotonicMilliseconds()
    let wait = isFirstTurn ? 0 : host.nextDeadline.map { CInt(clamping: max(0, $0 - now)) } ?? -1
    isFirstTurn = false
    _ = loop.wait(into: &events, timeout: wait)
    let time = Now.read()
    times.begin(at: time.nanoseconds)
    for index in 0..<events.count { host.ready(events[index], now: time) }
    inbox.take(into: &commands)
    host.turn(&commands, now: time)
    for (index, mailbox) in shards.enumerated() {
      host.exchange(index, for: &outgoing)
      if !outgoing.commands.isEmpty {
        mailbox.post(Parcel(commands: outgoing.commands, frames: outgoing.frames.array()))
        outgoing.removeAll()
      }
    }
    times.end(at: monotonicNanoseconds())
    return !isStopping.isSet
  }
}
