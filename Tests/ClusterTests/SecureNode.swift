import EventLoops
import RoostTesting
import Testing
import Transport

/// A node of its own that speaks TLS, without Redis, and programs that know its secrets.
final class SecureNode {
  static let key = "0123456789abcdef0123456789abcdef-api"

  let port: UInt16
  private let process: TestProcess

  init(_ identity: TLSIdentity) throws {
    let any = try #require(Address(host: "127.0.0.1", port: 0))
    port = try Listener(any, backlog: 1, sharesPort: false).port
    process = try TestProcess(
      [
        ClusterNode.binary(), "serve", "--host", "127.0.0.1", "--port", "\(port)", "--node-id", "secure",
        "--tls-cert", identity.certificateFile, "--tls-key", identity.keyFile, "--rate-burst", "0",
        "--connects-per-address", "100000", "--returns-per-minute", "1000", "--bytes-per-second", "0",
      ],
      environment: ["ROOST_SECRET": ClusterUnderTest.secret, "ROOST_API_KEY": Self.key])
    try #require(process.says("node ready"))
  }

  /// What says which certificates are believed: arguments, or settings of the environment.
  typealias Trust = (arguments: [String], settings: [String: String])

  /// A command of `roost` at `url`, whose standard input is empty.
  static func run(
    _ command: String, at url: String, _ arguments: [String] = [], trust: Trust
  ) throws -> (code: CInt, text: String) {
    let secrets = ["ROOST_API_KEY": key, "ROOST_TOKEN": try SwiftClientTests.token("anna")]
    let process = try TestProcess(
      [ClusterNode.binary(), command, "--url", url] + trust.arguments + arguments,
      environment: secrets.merging(trust.settings) { $1 })
    return (process.ended(), process.text)
  }
}
