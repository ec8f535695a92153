import Foundation
import Glibc

/// An https server with a key set on this machine (`Tests/Servers/keys.py`), with a certificate of its own. It
/// ends with this process, however that ends.
public final class KeyServer: Sendable {
  public struct Failure: Error {}

  /// Its files: `keys.json` is what it serves.
  private let folder: URL
  /// With a certificate for its address …
  public let port: UInt16
  /// … and with one for another name.
  public let otherPort: UInt16
  private let input: Pipe
  private let process: Process

  /// - Parameter keys: what it serves at first.
  public init(_ keys: String) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "roost-keys-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    try Data(keys.utf8).write(to: folder.appending(path: "keys.json"))
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Servers/keys.py")
    let output = Pipe()
    (process, input) = (Process(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script.standardizedFileURL.path, folder.path]
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    var line = Data()
    while line.last != UInt8(ascii: "\n") {
      let part = output.fileHandleForReading.availableData
      guard !part.isEmpty else { throw Failure() }
      line += part
    }
    let ports = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
    guard ports.count == 2 else { throw Failure() }
    (port, otherPort) = (ports[0], ports[1])
  }

  deinit { stop() }

  /// Its certificate, which nobody else trusts.
  public var caFile: String { folder.appending(path: "ca.pem").path }
  public var otherCAFile: String { folder.appending(path: "other.pem").path }

  public func url(_ path: String = "keys") -> String { "https://127.0.0.1:\(port)/\(path)" }

  /// Serves other keys from now on.
  public func replace(_ keys: String) throws {
    try Data(keys.utf8).write(to: folder.appending(path: "keys.json"), options: .atomic)
  }

  /// Lets the requests for `held` go on.
  public func release() throws { try Data().write(to: folder.appending(path: "go")) }

  /// The paths asked for so far.
  public var requests: [String] {
    let text = try? String(contentsOf: folder.appending(path: "requests"), encoding: .utf8)
    return (text ?? "").split(separator: "\n").map(String.init)
  }

  public func stop() {
    guard process.isRunning else { return }
    try? input.fileHandleForWriting.close()
    // Another process that was started meanwhile may hold the pipe open, and where nodes run in this process their
    // signals are blocked, in children too.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }
}
