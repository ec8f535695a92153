import CSystem
import Glibc

/// Runs `body` on a new, detached thread. For loops and for the few calls that must block.
public func onNewThread(name: String, _ body: @escaping @Sendable () -> Void) {
  final class Box {
    let body: @Sendable () -> Void
    let name: String
    init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
  }
  var thread = pthread_t()
  let box = unsafe Unmanaged.passRetained(Box(name, body)).toOpaque()
  let failure = unsafe pthread_create(
    &thread, nil,
    { argument in
      let box = unsafe Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue()
      unsafe pthread_setname_np(pthread_self(), box.name)
      box.body()
      return nil
    }, box)
  precondition(failure == 0, "no thread could be made")
  pthread_detach(thread)
}

/// Blocks `signals` for this thread and all threads made from now on, so that ``waitForSignal(_:)`` gets them.
/// Call first thing on the main thread.
public func blockSignals(_ signals: [CInt]) {
  var set = sigset_t()
  unsafe sigemptyset(&set)
  for signal in signals { unsafe sigaddset(&set, signal) }
  unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
}

/// Lets a blocked `signal` do now what it does when nobody waits for it: ends the process, or stops it until it is
/// continued.
public func letSignalAct(_ signal: CInt) {
  var set = sigset_t()
  unsafe sigemptyset(&set)
  unsafe sigaddset(&set, signal)
  kill(getpid(), signal)
  unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
  unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
}

/// Waits for one of the blocked `signals`, at most so long; `nil` when none came.
public func waitForSignal(_ signals: [CInt], milliseconds: Int) -> CInt? {
  var set = sigset_t()
  unsafe sigemptyset(&set)
  for signal in signals { unsafe sigaddset(&set, signal) }
  var patience = timespec(tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
  let received = unsafe sigtimedwait(&set, nil, &patience)
  return received > 0 ? received : nil
}

/// Waits for one of the blocked `signals` and returns it.
public func waitForSignal(_ signals: [CInt]) -> CInt {
  var set = sigset_t()
  unsafe sigemptyset(&set)
  for signal in signals { unsafe sigaddset(&set, signal) }
  var received: CInt = 0
  while unsafe sigwait(&set, &received) != 0 {}
  return received
}
