public import EventLoops
import Glibc
public import LoadGenerator
import Synchronization

/// A real `roost serve` process on a free port. The kernel kills it when the test process ends, however it ends.
@safe
public final class ClusterNode: Sendable {
  public struct Failure: Error, CustomStringConvertible { public let description: String }

  public let name: String
  public let port: UInt16
  public let logPath: String
  private let state = Mutex<(process: pid_t, exitCode: CInt?)>((0, nil))

  /// Starts the node and returns at once: see ``isReady``.
  /// - Parameter wrapper: a program, with its arguments, that runs the command it is given.
  public init(
    name: String, port: UInt16, flags: [String], secretFile: String, logPath: String, wrapper: [String] = []
  ) throws {
    (self.name, self.port, self.logPath) = (name, port, logPath)
    let binary = try Self.binary()
    let command =
      [binary, "with-parent", "\(getpid())"] + wrapper + [binary, "serve", "--host", "127.0.0.1", "--port", "\(port)"]
      + ["--node-id", name, "--secret-file", secretFile] + flags
    // The kernel's promise is tied to the thread that started the process, so that thread stays with it.
    onNewThread(name: name) { [self] in
      let process = Self.spawn(command, logPath)
      state.withLock { $0.process = process }
      let code = process > 0 ? TestProcess.wait(for: process) : 127
      state.withLock { $0.exitCode = code }
    }
  }

  public var processID: Int32 { state.withLock { $0.process } }
  public var exitCode: CInt? { state.withLock { $0.exitCode } }

  /// Stops it from doing anything, with its sockets open, until `SIGCONT`.
  public func pause() { TestProcess.pause(state.withLock { $0.exitCode == nil ? $0.process : -1 }) }

  /// Sends a signal, such as `SIGKILL` or `SIGCONT`; nothing when it has ended.
  public func signal(_ signal: CInt) {
    state.withLock { if $0.exitCode == nil && $0.process > 0 { kill($0.process, signal) } }
  }

  /// Waits for its end: the exit code, or 128 + signal. Killed after three minutes.
  public func ended() async -> CInt {
    let deadline = monotonicMilliseconds() + 180_000
    while true {
      if let code = exitCode { return code }
      if monotonicMilliseconds() >= deadline { signal(SIGKILL) }
      do { try await Task.sleep(for: .milliseconds(20)) } catch { signal(SIGKILL) }
    }
  }

  public var address: Address { Address(host: "127.0.0.1", port: port)! }

  public var isReady: Bool { fetch("/readyz")?.status == 200 }

  /// - Parameter milliseconds: how long the answer may take.
  public func fetch(_ path: String, milliseconds: Int = 1_000) -> HTTPProbe.Answer? {
    HTTPProbe.get(path, from: address, milliseconds: milliseconds)
  }

  /// `ROOST_BINARY`, or the one that was built beside the tests.
  public static func binary() throws -> String {
    if let named = unsafe getenv("ROOST_BINARY") { return unsafe String(cString: named) }
    var bytes = [CChar](repeating: 0, count: 4_096)
    let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count)
    let own = String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // Either the test bundle runs itself, or a helper of the toolchain was given its path.
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? own
    let binary = bundle.prefix(through: bundle.lastIndex(of: "/") ?? bundle.startIndex) + "roost"
    guard unsafe access(String(binary), X_OK) == 0 else {
      throw Failure(description: "no roost beside the tests (\(binary)): build it, or set ROOST_BINARY")
    }
    return String(binary)
  }

  /// What it says goes into a file.
  private static func spawn(_ command: [String], _ logPath: String) -> pid_t {
    let log = unsafe open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { return -1 }
    defer { close(log) }
    return (try? TestProcess.spawn(command, output: log, error: log)) ?? -1
  }
}
