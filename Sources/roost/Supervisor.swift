import CSystem
import EventLoops
import Glibc

/// Watches the processes of a cluster and the signals to ours, on the calling thread.
struct Supervisor {
  enum Event {
    /// Somebody wants us to end.
    case stopSignal
    case ended(Child)
  }

  private(set) var children: [Child] = []
  private let signals: CInt
  private static let watched = [SIGINT, SIGTERM, SIGHUP, SIGCHLD]

  init() throws(SystemError) {
    blockSignals(Self.watched)
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for signal in Self.watched { unsafe sigaddset(&set, signal) }
    signals = unsafe signalfd(-1, &set, CInt(SFD_NONBLOCK | SFD_CLOEXEC))
    guard signals >= 0 else { throw SystemError(call: "signalfd", code: errno) }
  }

  /// - Parameter settings: environment variables of Roost's; those of ours are for nobody but who is given them here.
  mutating func start(
    _ name: String, _ command: [String], settings: [String: String] = [:]
  ) throws(SystemError) {
    let environment = Console.environment.filter { !$0.key.hasPrefix("ROOST_") }
    children.append(try Child.start(name, command, environment: environment.merging(settings) { $1 }))
  }

  /// Waits for something to happen, at most `milliseconds`, and shows what the children print meanwhile.
  mutating func events(within milliseconds: Int) -> [Event] {
    var watched = [pollfd(fd: signals, events: CShort(POLLIN), revents: 0)]
    watched += children.map { pollfd(fd: $0.output, events: CShort(POLLIN), revents: 0) }
    guard unsafe poll(&watched, nfds_t(watched.count), CInt(milliseconds)) > 0 else { return [] }
    showLines()
    let isStop = takeStopSignal()
    var events: [Event] = []
    for index in children.indices where children[index].reap() {
      children[index].readLines(Self.show)
      events.append(.ended(children[index]))
    }
    return isStop ? events + [.stopSignal] : events
  }

  /// Asks the children `named` so to end, waits for them, and kills who does not. A further stop signal kills at once.
  mutating func stop(_ named: (String) -> Bool, seconds: Int) {
    for child in children where named(child.name) { child.signal(SIGTERM) }
    let deadline = monotonicMilliseconds() + Int64(seconds) * 1_000
    var isPatient = true
    while children.contains(where: { named($0.name) && $0.isRunning }) {
      for case .stopSignal in events(within: 100) { isPatient = false }
      guard !isPatient || monotonicMilliseconds() >= deadline else { continue }
      for child in children where named(child.name) && child.isRunning {
        Console.complain("\(child.name) did not end in time and is killed")
        child.signal(SIGKILL)
      }
      _ = events(within: 100)
    }
  }

  private mutating func showLines() {
    for index in children.indices { children[index].readLines(Self.show) }
  }

  private static func show(_ name: String, _ line: String) {
    Console.write("\(name)\(String(repeating: " ", count: max(1, 10 - name.count)))| \(line)\n", to: 2)
  }

  private func takeStopSignal() -> Bool {
    var isStop = false
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    while unsafe read(signals, &information, size) == size {
      if information.ssi_signo != UInt32(SIGCHLD) { isStop = true }
    }
    return isStop
  }
}
