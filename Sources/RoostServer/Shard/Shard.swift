import EventLoops

/// One thread with its share of the node's connections.
///
/// The thread runs the loop inside the actor, so everything in ``ShardCore`` is plain synchronous code on state that
/// nobody else can touch. Messages come through ``inbox``; `await` is for control only.
actor Shard {
  nonisolated let loop: EventLoop
  nonisolated let inbox: Mailbox<Parcel>
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private var core: ShardCore

  init(loop: EventLoop, inbox: Mailbox<Parcel>, core: consuming sending ShardCore) {
    (self.loop, self.inbox) = (loop, inbox)
    self.core = core
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
