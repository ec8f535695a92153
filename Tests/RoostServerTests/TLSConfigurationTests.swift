import RoostTesting
import Testing
import Transport

@testable import RoostServer

@Suite("TLS settings")
struct TLSConfigurationTests {
  private let certificates: TestCertificates

  init() throws { certificates = try TestCertificates() }

  private func read(_ arguments: String...) -> ConfigurationReader {
    ConfigurationReader(
      arguments: arguments, environment: ["ROOST_SECRET": String(repeating: "s", count: 32)], readFile: { _ in [] })
  }

  @Test func `good files are no problem, and an expired certificate is a remark`() throws {
    let good = try certificates.make("good")
    let reader = read("--tls-cert", good.certificateFile, "--tls-key", good.keyFile)
    #expect(reader.problems == [] && reader.remarks == [])
    #expect(reader.configuration.tls.identity == good)
    let old = try certificates.makeExpired("old")
    let late = read("--tls-cert", old.certificateFile, "--tls-key", old.keyFile)
    #expect(late.problems == [] && late.remarks == ["tls-cert: the certificate has expired"])
  }

  @Test func `what is wrong with the files is told by name`() throws {
    let (one, other) = (try certificates.make("one"), try certificates.make("other"))
    #expect(read("--tls-cert", one.certificateFile).problems == ["tls-cert: needs tls-key as well"])
    #expect(read("--tls-key", one.keyFile).problems == ["tls-key: needs tls-cert as well"])
    for (certificate, key, words) in [
      (one.certificateFile, other.keyFile, "does not belong"), ("/nowhere", one.keyFile, "cannot be read"),
    ] {
      let problems = read("--tls-cert", certificate, "--tls-key", key).problems
      #expect(problems.count == 1 && problems[0].hasPrefix("tls-cert, tls-key: ") && problems[0].contains(words))
    }
  }

  @Test func `files for Redis belong to rediss`() throws {
    let own = try certificates.make("own")
    #expect(read("--redis-url", "rediss://h", "--redis-ca-file", certificates.authority).problems == [])
    #expect(read("--redis-url", "rediss://h").problems == [])
    let all = read(
      "--redis-url", "rediss://h", "--redis-cert-file", own.certificateFile, "--redis-key-file", own.keyFile)
    #expect(all.problems == [] && all.configuration.redisTLS.own.identity == own)
    #expect(read("--redis-url", "redis://h", "--redis-ca-file", certificates.authority).problems.count == 1)
    #expect(read("--redis-url", "rediss://h", "--redis-ca-file", "/nowhere").problems.count == 1)
    #expect(read("--redis-url", "rediss://h", "--redis-key-file", own.keyFile).problems.count == 1)
  }
}
