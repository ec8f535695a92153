import CSystem
import EventLoops
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
    let server = try TestProcess.spawn(arguments)
    let (watchdog, channel) = try Self.watch(server, directory)
    running.withLock { $0 = Running(server: server, watchdog: watchdog, channel: channel) }
    let deadline = monotonicMilliseconds() + 120_000
    while monotonicMilliseconds() < deadline {
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
      _ = TestProcess.wait(for: running.server)
      // The watchdog's work is done; the process id may soon be somebody else's.
      _ = unsafe send(running.channel, "done\n", 5, CInt(MSG_NOSIGNAL))
      close(running.channel)
      _ = TestProcess.wait(for: running.watchdog)
    }
  }

  /// Stops it from doing anything, with its sockets open (SIGSTOP).
  public func pause() { TestProcess.pause(processID) }
  /// Lets it go on (SIGCONT).
  public func resume() { Glibc.kill(processID, SIGCONT) }

  public func stop() {
    kill()
    _ = try? TestProcess.output(["rm", "-rf", directory])
  }

  /// Runs one command through redis-cli and returns what it prints.
  @discardableResult
  public func ask(_ words: String...) throws -> String { try ask(words) }

  @discardableResult
  public func ask(_ words: [String]) throws -> String {
    try TestProcess.output(["redis-cli", "-s", unixSocket] + words)
  }

  // MARK: Processes

  /// One that nobody else in this process gets.
  public static func freePort() throws -> UInt16 { try FreePorts.take() }

  private static func watch(_ server: pid_t, _ directory: String) throws -> (pid_t, CInt) {
    let ends = TestProcess.channel()
    defer { close(ends[0]) }
    let script = "read word || { kill -9 \(server); rm -rf '\(directory)'; }"
    return (try TestProcess.spawn(["sh", "-c", script], input: ends[0]), ends[1])
  }
}
