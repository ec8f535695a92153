import EventLoops
import Glibc
import LoadGenerator

/// A node of our own binary for one measurement: no limits, no Redis.
struct SpawnedNode {
  struct Failure: Error, CustomStringConvertible { let description: String }

  private let port: UInt16
  private var child: Child

  init(threads: Int, secret: [UInt8]) throws {
    guard let port = FreePort.any(), let address = Address(host: "127.0.0.1", port: port) else {
      throw Failure(description: "no free port")
    }
    self.port = port
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try Console.writeFile(folder.file("secret"), String(decoding: secret, as: UTF8.self))
    let environment = Console.environment.filter { !$0.key.hasPrefix("ROOST_") }
    let place = ["--host", "127.0.0.1", "--port", "\(port)", "--shards", "\(threads)"]
    child = try Child.start(
      "node",
      [Console.executable, "serve"] + place + ["--secret-file", folder.file("secret"), "--log-level", "warning"]
        + Self.unlimited, environment: environment)
    let deadline = monotonicMilliseconds() + 10_000
    while HTTPProbe.get("/readyz", from: address, milliseconds: 500)?.status != 200 {
      usleep(20_000)
      child.readLines { _, line in Console.complain(line) }
      guard !child.reap(), monotonicMilliseconds() < deadline else {
        stop()
        throw Failure(description: "the node does not start")
      }
    }
  }

  var process: pid_t { child.process }

  func url(_ path: String) -> String { "ws://127.0.0.1:\(port)\(path)" }

  /// Ends it at once: its clients are gone.
  func stop() { child.signal(SIGKILL) }

  /// Everything that protects a node from its clients would be measured otherwise.
  private static let unlimited = [
    "--echo", "--rate-burst", "0", "--bytes-per-second", "0", "--connections-per-address", "1000000",
    "--connects-per-address", "1000000",
    "--queue-messages", "1048576", "--queue-size", "256m", "--message-size", "1m",
  ]
}
