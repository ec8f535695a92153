import Fetch
import Foundation
import RoostTesting
import Testing

@Suite("Fetching by https", .timeLimit(.minutes(30)))
struct SecureGetTests {
  static let server = Result { try KeyServer("the keys") }
  static let limit = 256 * 1_024

  static func body(
    _ path: String, caFile: String? = "own", port: UInt16? = nil, milliseconds: Int = 120_000
  ) throws -> [UInt8] {
    let server = try server.get()
    let url = port.map { "https://127.0.0.1:\($0)/\(path)" } ?? server.url(path)
    let get = SecureGet(
      url: url, caFile: caFile == "own" ? server.caFile : caFile, milliseconds: milliseconds, byteLimit: limit)
    return try get.body()
  }

  /// What a failure says, or the body's length.
  static func outcome(_ path: String, milliseconds: Int = 120_000) throws -> SecureGet.Failure? {
    do { _ = try body(path, milliseconds: milliseconds) } catch let failure as SecureGet.Failure { return failure }
    return nil
  }

  @Test func `a body as it is`() throws {
    #expect(try Self.body("keys") == Array("the keys".utf8))
    #expect(try Self.body("empty").isEmpty)
  }

  @Test(arguments: [
    ("error", SecureGet.Failure.status(500)), ("redirect", .status(302)), ("moved", .status(308)),
    ("large", .tooLarge), ("endless", .tooLarge), ("swollen", .tooLarge),
  ])
  func `answers that are none`(path: String, failure: SecureGet.Failure) throws {
    #expect(try Self.outcome(path) == failure)
  }

  @Test func `the limit itself is not too large`() throws {
    #expect(try Self.body("largest").count == Self.limit)
  }

  @Test(arguments: ["slow", "silent"])
  func `who takes too long is given up`(path: String) throws {
    #expect(try Self.outcome(path, milliseconds: 300) == .transport("Timeout was reached"))
  }

  @Test func `a stop is heard while waiting`() throws {
    let get = SecureGet(
      url: try Self.server.get().url("silent"), caFile: try Self.server.get().caFile, milliseconds: 600_000,
      byteLimit: Self.limit)
    var asked = 0
    let isStopped = {
      asked += 1
      return asked > 2
    }
    #expect(throws: SecureGet.Failure.stopped) { try get.body(unless: isStopped) }
  }

  @Test func `strangers and other names are not believed`() throws {
    let server = try Self.server.get()
    #expect(throws: SecureGet.Failure.self) { try Self.body("keys", caFile: nil) }
    #expect(throws: SecureGet.Failure.self) { try Self.body("keys", caFile: server.otherCAFile) }
    #expect(throws: SecureGet.Failure.self) {
      try Self.body("keys", caFile: server.otherCAFile, port: server.otherPort)
    }
    #expect(throws: SecureGet.Failure.self) { try Self.body("keys", caFile: "/nowhere") }
  }

  @Test(arguments: ["http://127.0.0.1:1/keys", "file:///etc/passwd", "ftp://127.0.0.1/", "https://", "keys", ""])
  func `only https`(url: String) {
    #expect(throws: SecureGet.Failure.self) { try SecureGet(url: url, byteLimit: Self.limit).body() }
  }

  /// In a process of its own: other threads may read the environment at any time.
  @Test func `no proxy of the environment is asked`() async {
    await #expect(processExitsWith: .success) {
      for name in ["https_proxy", "HTTPS_PROXY", "all_proxy"] { unsafe setenv(name, "http://127.0.0.1:1", 1) }
      let body = try Self.body("keys")
      #expect(body == Array("the keys".utf8))
    }
  }
}
