import CSystem
import Glibc
import Locks
import Synchronization

/// One thread, one epoll set, one inbox: an actor that names this loop as its executor runs on that thread only.
///
/// The thread runs the loop *inside* the actor (`assumeIsolated` once per process life), so what the actor owns is
/// touched by plain synchronous code. Jobs that `await` brought are run between turns by ``drainJobs()``.
public final class EventLoop: SerialExecutor {
  private let epoll: CInt
  private let wakeDescriptor: CInt
  private let jobs = Mutex<[UnownedJob]>([])
  private let owner = Atomic<UInt>(0)

  /// The token of wake-ups, which ``wait(into:timeout:)`` swallows; no other registration may use it.
  public static let wakeToken: UInt64 = .max

  public init() throws(SystemError) {
    epoll = try systemCall("epoll_create1") { epoll_create1(CInt(EPOLL_CLOEXEC)) }
    wakeDescriptor = try systemCall("eventfd") { eventfd(0, CInt(EFD_NONBLOCK) | CInt(EFD_CLOEXEC)) }
    try control(EPOLL_CTL_ADD, wakeDescriptor, token: Self.wakeToken, interest: .read)
  }

  deinit {
    close(epoll)
    close(wakeDescriptor)
  }

  // MARK: Executor

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let isFirst = jobs.locked {
      $0.append(job)
      return $0.count == 1
    }
    if isFirst { wake() }
  }

  public func checkIsolated() { precondition(isOwner, "touched from outside its loop") }
  public func isIsolatingCurrentContext() -> Bool? { isOwner }
  private var isOwner: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

  /// Makes the calling thread the loop's own. Once, before the first turn.
  public func adopt() { owner.store(UInt(pthread_self()), ordering: .relaxed) }

  /// Runs the jobs that `await` brought here. Call between turns, when no access to the loop's state is open.
  public func drainJobs() {
    let taken = jobs.locked { waiting in
      let taken = waiting
      waiting = []
      return taken
    }
    for job in taken { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
  }

  // MARK: Descriptors

  /// What to be told about a descriptor. Reading includes the peer's hang-up. All registrations are level-triggered.
  public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let read = Self(rawValue: EPOLLIN.rawValue)
    public static let write = Self(rawValue: EPOLLOUT.rawValue)
  }

  /// Registers `descriptor`; its events carry `token`. Put a generation into the token, so that an event for an
  /// earlier owner of the same descriptor is recognised as stale.
  public func add(_ descriptor: CInt, token: UInt64, interest: Interest) throws(SystemError) {
    precondition(token != Self.wakeToken)
    try control(EPOLL_CTL_ADD, descriptor, token: token, interest: interest)
  }

  /// Changes what is told about a registered descriptor.
  public func modify(_ descriptor: CInt, token: UInt64, interest: Interest) {
    do { try control(EPOLL_CTL_MOD, descriptor, token: token, interest: interest) } catch {
      preconditionFailure("a registered descriptor cannot be modified: \(error)")
    }
  }

  /// Unregisters a descriptor that stays open. Closing one unregisters it too.
  public func remove(_ descriptor: CInt) {
    var event = unsafe epoll_event()
    unsafe epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
  }

  /// Waits for events, at most `timeout` milliseconds (`-1`: for ever), and returns true when somebody woke the loop.
  public func wait(into events: inout EventBuffer, timeout: CInt) -> Bool {
    unsafe events.fill { unsafe epoll_wait(epoll, $0, $1, timeout) }
    guard events.removeFirst(token: Self.wakeToken) else { return false }
    var count: eventfd_t = 0
    unsafe eventfd_read(wakeDescriptor, &count)
    return true
  }

  /// Ends the wait of this loop's thread, now or when it next waits. From any thread.
  public func wake() { eventfd_write(wakeDescriptor, 1) }

  private func control(
    _ operation: CInt, _ descriptor: CInt, token: UInt64, interest: Interest
  ) throws(SystemError) {
    var event = unsafe epoll_event()
    unsafe event.events = interest.rawValue
    unsafe event.data.u64 = token
    _ = try systemCall("epoll_ctl") { unsafe epoll_ctl(epoll, operation, descriptor, &event) }
  }
}
