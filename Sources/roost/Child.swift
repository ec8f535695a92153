import EventLoops
import Glibc

/// A process that we started, in a group of its own so that a terminal's Ctrl-C reaches only us, who stop it in order.
struct Child {
  let name: String
  let process: pid_t
  /// Where its output arrives; -1 when that has ended.
  var output: CInt
  /// The beginning of a line that is not complete.
  var line: [UInt8] = []
  /// How it ended: its exit code, or 128 + signal.
  var exitCode: CInt?

  /// Starts `command`, whose first word is a program on the search path.
  static func start(_ name: String, _ command: [String], environment: [String: String]) throws(SystemError) -> Child {
    var ends: [CInt] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw SystemError(call: "pipe", code: errno) }
    defer { close(ends[1]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)

    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 2)

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var (none, all) = (sigset_t(), sigset_t())
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    unsafe posix_spawnattr_setflags(&attributes, CShort(flags))

    let arguments = ["roost", ChildCommand.name, "\(getpid())"] + command
    var process = pid_t()
    let code = unsafe withStrings(arguments) { arguments in
      unsafe withStrings(environment.map { "\($0.key)=\($0.value)" }) { environment in
        unsafe posix_spawn(&process, Console.executable, &actions, &attributes, arguments, environment)
      }
    }
    guard code == 0 else {
      close(ends[0])
      throw SystemError(call: "posix_spawn", code: code)
    }
    return Child(name: name, process: process, output: ends[0])
  }

  var isRunning: Bool { exitCode == nil }

  func signal(_ signal: CInt) { if isRunning { kill(process, signal) } }

  /// Learns whether it has ended. True once.
  mutating func reap() -> Bool {
    guard isRunning else { return false }
    var status: CInt = 0
    guard unsafe waitpid(process, &status, WNOHANG) == process else { return false }
    exitCode = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    return true
  }

  /// Hands on the complete lines that have come.
  mutating func readLines(_ show: (_ name: String, _ line: String) -> Void) {
    var chunk = [UInt8](repeating: 0, count: 16 * 1_024)
    while output >= 0 {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(output, $0.baseAddress, $0.count) }
      if count < 0 { return }
      if count == 0 {
        close(output)
        output = -1
        if line.isEmpty { return }
      }
      line += count == 0 ? [0x0A] : chunk[..<count]
      while let end = line.firstIndex(of: 0x0A) {
        show(name, String(decoding: line[..<end], as: UTF8.self))
        line.removeSubrange(...end)
      }
    }
  }

  private static func withStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
  }
}
