import EventLoops
import RealtimeCore
import Telemetry

/// One thread with its share of the node's connections.
///
/// The thread runs the loop inside the actor, so everything in ``ShardCore`` is plain synchronous code on state that
/// nobody else can touch. Messages come through ``inbox``; `await` is for control only.
actor Shard {
  nonisolated let loop: EventLoop
  nonisolated let inbox: Mailbox<Parcel>
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
  private var core: ShardCore

  /// - Parameters:
  ///   - adminListener: of the port for administration; one shard serves it.
  ///   - hub: the way to the hub; without one it lives in this shard.
  init(
    index: UInt8, context: NodeContext, loop: EventLoop, inbox: Mailbox<Parcel>, listener: consuming Listener,
    adminListener: consuming Listener? = nil, hub: Mailbox<HubCommand>?, log: Log
  ) throws {
    (self.loop, self.inbox) = (loop, inbox)
    let host =
      hub == nil
      ? try HubHost(
        context.configuration, port: listener.port, shards: 1, loop: loop, report: context.hubReport, log: log) : nil
    core = try ShardCore(
      index: index, context: context, loop: loop, inbox: inbox, listener: listener,
      adminListener: adminListener, host: host, hub: hub, log: log)
  }

  /// The thread's body: returns after ``ShardCommand/stop``.
  nonisolated func run() {
    loop.adopt()
    assumeIsolated { $0.runUntilStopped() }
  }

  private func runUntilStopped() {
    while true {
      switch core.turn() {
      case .quiet: break
      case .woken: loop.drainJobs()
      case .stopped: return
      }
    }
  }
}
