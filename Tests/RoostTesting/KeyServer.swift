import Foundation

/// An https server with a key set on this machine (`Tests/Servers/keys.py`), with a certificate of its own. It
/// ends with this process, however that ends.
public final class KeyServer: Sendable {
  public struct Failure: Error { public let said: String }

  /// Its files: `keys.json` is what it serves.
  private let folder: URL
  /// With a certificate for its address …
  public let port: UInt16
  /// … and with one for another name.
  public let otherPort: UInt16
  private let process: TestProcess

  /// - Parameter keys: what it serves at first.
  public init(_ keys: String) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "roost-keys-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    try Data(keys.utf8).write(to: folder.appending(path: "keys.json"))
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Servers/keys.py")
    // It ends when its input does.
    process = try TestProcess(["python3", script.standardizedFileURL.path, folder.path], hasInput: true)
    guard process.says("\n") else { throw Failure(said: process.text) }
    let ports = process.text.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
    guard ports.count == 2 else { throw Failure(said: process.text) }
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
    process.kill()
    try? FileManager.default.removeItem(at: folder)
  }
}
