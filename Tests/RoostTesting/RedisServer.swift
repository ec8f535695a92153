import CSystem
import Glibc
import Synchronization

/// A real redis-server of its own for one test: a free port, a unix socket and a directory that goes with it.
///
/// `ROOST_TEST_REDIS_SERVER` names another program than `redis-server`, such as Valkey's.
///
/// A second small process holds the one end of a channel; when the test process ends, however it ends, the channel
/// closes and the watchdog kills the server and removes the directory. Nothing is left behind by a failed test.
@safe
public final class RedisServer: Sendable {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  private struct Running {
    var server: pid_t
    var watchdog: pid_t
    var channel: CInt
  }

  public let directory: String
  public let port: UInt16
  public var unixSocket: String { directory + "/socket" }
  public var url: String { "redis://127.0.0.1:\(port)" }
  private static let program =
    unsafe getenv("ROOST_TEST_REDIS_SERVER").map { unsafe String(cString: $0) } ?? "redis-server"
  private let options: [String]
  private let running = Mutex<Running?>(nil)

  /// Starts a server. No redis-server on the path is a failure, never a pass.
  /// - Parameter options: as on its command line, for instance `["--appendonly", "yes"]`.
  public init(_ options: [String] = []) throws {
    var template = Array("/tmp/roost-redis-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Failure(description: "no temporary directory") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    self.options = options
    port = try Self.freePort()
    try start()
  }

  deinit { stop() }

  /// The server's process.
  public var processID: Int32 { running.withLock { $0?.server ?? -1 } }

  /// Starts it again after ``kill()``, on the same port with the same directory.
  public func start() throws {
    let arguments =
      [
        Self.program, "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", unixSocket, "--dir", directory,
        "--logfile", directory + "/log", "--save", "", "--daemonize", "no",
      ] + options
    let server = try Self.spawn(arguments)
    let (watchdog, channel) = try Self.watch(server, directory)
    running.withLock { $0 = Running(server: server, watchdog: watchdog, channel: channel) }
    for _ in 0..<400 {
      if let answer = try? ask("PING"), answer.hasPrefix("PONG") || answer.hasPrefix("NOAUTH") { return }
      var status: CInt = 0
      if unsafe waitpid(server, &status, WNOHANG) == server { break }
      usleep(10_000)
    }
    throw Failure(description: "\(Self.program) did not start; see \(directory)/log")
  }

  /// `kill -9`, and waits until it is gone.
  public func kill() {
    running.withLock { state in
      guard let running = state.take() else { return }
      Glibc.kill(running.server, SIGKILL)
      var status: CInt = 0
      unsafe waitpid(running.server, &status, 0)
      // The watchdog's work is done; the process id may soon be somebody else's.
      _ = unsafe send(running.channel, "done\n", 5, CInt(MSG_NOSIGNAL))
      close(running.channel)
      unsafe waitpid(running.watchdog, &status, 0)
    }
  }

  /// Stops it from doing anything, with its sockets open (SIGSTOP).
  public func pause() { Glibc.kill(processID, SIGSTOP) }
  /// Lets it go on (SIGCONT).
  public func resume() { Glibc.kill(processID, SIGCONT) }

  public func stop() {
    kill()
    _ = try? Self.output(["rm", "-rf", directory])
  }

  /// Runs one command through redis-cli and returns what it prints.
  @discardableResult
  public func ask(_ words: String...) throws -> String { try ask(words) }

  @discardableResult
  public func ask(_ words: [String]) throws -> String {
    try Self.output(["redis-cli", "-s", unixSocket] + words)
  }

  // MARK: Processes

  /// Outside of the range from which the kernel takes ports for outgoing connections: nothing grabs it in between,
  /// and ten thousand further there is room for a cluster's bus.
  public static func freePort() throws -> UInt16 {
    for _ in 0..<200 {
      let port = UInt16.random(in: 20_000..<32_000)
      let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      let isFree = unsafe withUnsafeMutablePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      if isFree { return port }
    }
    throw Failure(description: "no free port")
  }

  /// `output`: where its standard output goes, or -1; `input`: what becomes its standard input, or -1.
  private static func spawn(_ arguments: [String], input: CInt = -1, output: CInt = -1) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, target) in [(input, CInt(0)), (output, CInt(1))] {
      if descriptor >= 0 {
        unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, target)
      } else {
        unsafe posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
      }
    }
    // Whoever reads the output is not told by redis-cli, again and again, that a server is not there yet.
    if output >= 0 { unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_RDWR, 0) }
    // Foundation's pipes are inherited: a server that held one would keep another test from reading it to its end.
    unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var process: pid_t = 0
    var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    let code = unsafe posix_spawnp(&process, arguments[0], &actions, nil, &words, environ)
    guard code == 0 else {
      throw Failure(description: "cannot start \(arguments[0]): \(unsafe String(cString: strerror(code)))")
    }
    return process
  }

  /// Two ends that no other process inherits.
  private static func channel() -> [CInt] {
    var ends: [CInt] = [-1, -1]
    unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
    return ends
  }

  private static func watch(_ server: pid_t, _ directory: String) throws -> (pid_t, CInt) {
    let ends = channel()
    defer { close(ends[0]) }
    let script = "read word || { kill -9 \(server); rm -rf '\(directory)'; }"
    return (try spawn(["sh", "-c", script], input: ends[0]), ends[1])
  }

  /// What a program prints on its standard output.
  public static func output(_ arguments: [String]) throws -> String {
    let ends = channel()
    let process = try spawn(arguments, output: ends[1])
    close(ends[1])
    defer { close(ends[0]) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while case let count = unsafe read(ends[0], &chunk, chunk.count), count > 0 { text += chunk[..<count] }
    var status: CInt = 0
    unsafe waitpid(process, &status, 0)
    return String(decoding: text, as: UTF8.self)
  }
}
