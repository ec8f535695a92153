import CSystem
import EventLoops
import Glibc
import Synchronization

/// A program that a test started, and what it says on its standard output and error.
///
/// It shares nothing with the test's process but that: no other descriptor, no blocked signal. Many tests start
/// programs at the same time, and if a Redis of one held the pipe of another's program, the other would wait for an
/// end that comes only when that Redis ends.
@safe
public final class TestProcess: Sendable {
  public struct Failure: Error, CustomStringConvertible { public let description: String }

  private struct State {
    var said: [UInt8] = []
    var code: CInt?
  }

  /// How long a word or an end may take; milliseconds. A test that waits longer for either would hold up all others.
  private static let patience: Int64 = 180_000

  public let processID: Int32
  private let output: CInt
  /// Our end of its standard input, which it sees end with this process at the latest; -1 if it has none.
  private let input: CInt
  private let state = Mutex(State())

  /// - Parameters:
  ///   - command: a program on the search path and its arguments.
  ///   - environment: all of it; `nil`: ours.
  ///   - hasInput: whether its standard input stays open as long as this lives; else it is empty.
  ///   - hearsErrors: whether its standard error counts as said; else it is thrown away.
  public init(
    _ command: [String], environment: [String: String]? = nil, hasInput: Bool = false, hearsErrors: Bool = true
  ) throws {
    let (said, read) = (Self.channel(), hasInput ? Self.channel() : [-1, -1])
    defer { for end in [said[1], read[1]] where end >= 0 { close(end) } }
    (output, input) = (said[0], read[0])
    do {
      processID = try Self.spawn(
        command, environment: environment, input: read[1], output: said[1], error: hearsErrors ? said[1] : -1)
    } catch {
      for end in [said[0], read[0]] where end >= 0 { close(end) }
      throw error
    }
  }

  deinit {
    kill()
    close(output)
    if input >= 0 { close(input) }
  }

  /// What it has said, as far as it was read.
  public var text: String { state.withLock { String(decoding: $0.said, as: UTF8.self) } }

  /// Gives it `text` to read.
  public func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe send(input, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// What it reads ends here.
  public func endInput() { shutdown(input, CInt(SHUT_WR)) }

  /// Reads until it has said `word`; false when it ended without, or took more than three minutes.
  public func says(_ word: String) -> Bool {
    let deadline = monotonicMilliseconds() + Self.patience
    while !text.contains(word) { guard readMore(until: deadline) else { return false } }
    return true
  }

  /// Nothing once it has ended.
  public func signal(_ signal: CInt) { state.withLock { if $0.code == nil { Glibc.kill(processID, signal) } } }

  /// Reads the rest and waits for its end: the exit code, or 128 + the signal. Killed after three minutes.
  @discardableResult
  public func ended() -> CInt {
    let deadline = monotonicMilliseconds() + Self.patience
    while readMore(until: deadline) {}
    if monotonicMilliseconds() >= deadline { signal(SIGKILL) }
    return reap()
  }

  /// Ends it at once.
  public func kill() {
    signal(SIGKILL)
    _ = reap()
  }

  private func reap() -> CInt {
    state.withLock { state in
      if let code = state.code { return code }
      let code = Self.wait(for: processID)
      state.code = code
      return code
    }
  }

  /// False at the end of what it says, and when nothing has come in time.
  private func readMore(until deadline: Int64) -> Bool {
    var asked = pollfd(fd: output, events: CShort(POLLIN), revents: 0)
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while true {
      let left = CInt(clamping: max(0, deadline - monotonicMilliseconds()))
      let ready = unsafe poll(&asked, 1, left)
      if ready < 0, errno == EINTR { continue }
      guard ready > 0 else { return false }
      let count = unsafe read(output, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      state.withLock { $0.said += chunk[..<count] }
      return true
    }
  }

  // MARK: What it is made of

  /// What a program prints on its standard output.
  public static func output(_ command: [String]) throws -> String {
    let process = try TestProcess(command, hearsErrors: false)
    process.ended()
    return process.text
  }

  /// Starts a program. A descriptor that is -1 becomes `/dev/null`.
  static func spawn(
    _ command: [String], environment: [String: String]? = nil, input: CInt = -1, output: CInt = -1, error: CInt = -1
  ) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, target) in [(input, CInt(0)), (output, 1), (error, 2)] {
      if descriptor >= 0 {
        unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, target)
      } else {
        unsafe posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
      }
    }
    unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // Where nodes run in this process their signals are blocked.
    var (none, all) = (sigset_t(), sigset_t())
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setflags(&attributes, CShort(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var process = pid_t()
    var words = unsafe Self.strings(command)
    var settings = unsafe Self.strings(environment?.map { "\($0.key)=\($0.value)" } ?? [])
    defer { unsafe (words + settings).forEach { unsafe free($0) } }
    let code = unsafe settings.withUnsafeMutableBufferPointer { settings in
      unsafe posix_spawnp(
        &process, command[0], &actions, &attributes, &words, environment == nil ? environ : settings.baseAddress)
    }
    guard code == 0 else {
      throw Failure(description: "cannot start \(command[0]): \(unsafe String(cString: strerror(code)))")
    }
    return process
  }

  /// Stops a child from doing anything (SIGSTOP), and waits until none of its threads does: the signal alone leaves
  /// each of them what it is about to do. One that has ended is not waited for, and none for more than a minute.
  static func pause(_ process: pid_t) {
    guard process > 0, Glibc.kill(process, SIGSTOP) == 0 else { return }
    let deadline = monotonicMilliseconds() + 60_000
    while monotonicMilliseconds() < deadline {
      var news = unsafe siginfo_t()
      // Left to be seen again, by who pauses what is paused.
      let result = unsafe waitid(P_PID, id_t(process), &news, WSTOPPED | WNOWAIT | WNOHANG)
      if result == 0, unsafe news.si_signo != 0 { return }
      if result != 0, errno != EINTR { return }
      usleep(200)
    }
  }

  /// Waits for the end of a child: its exit code, or 128 + the signal.
  static func wait(for process: pid_t) -> CInt {
    var status: CInt = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }

  /// Two ends that no other process inherits.
  static func channel() -> [CInt] {
    var ends: [CInt] = [-1, -1]
    unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
    return ends
  }

  private static func strings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    unsafe texts.map { unsafe strdup($0) } + [nil]
  }
}
