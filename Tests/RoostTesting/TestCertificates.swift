import Glibc
public import Transport

/// Certificates made by the `openssl` command, with an authority of their own, in a folder that goes with them.
public final class TestCertificates: Sendable {
  public struct Failure: Error { public let file: String }

  public enum Key: Sendable { case p256, rsa2048 }

  private let folder: String
  /// The authority's certificate.
  public var authority: String { folder + "/authority.pem" }

  public init() throws {
    var template = Array("/tmp/roost-certificates-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Failure(file: "no temporary directory") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    _ = try request("authority", Self.words(.p256) + ["-x509", "-subj", "/CN=authority", "-days", "30"])
  }

  deinit { _ = try? TestProcess.output(["rm", "-rf", folder]) }

  /// A certificate for some names (`DNS:localhost,IP:127.0.0.1`), signed by the authority.
  public func make(
    _ file: String, for names: String = "DNS:localhost,IP:127.0.0.1", key: Key = .p256
  ) throws -> TLSIdentity {
    try request(
      file,
      Self.words(key) + [
        "-x509", "-CA", authority, "-CAkey", folder + "/authority.key", "-subj", "/CN=\(file)", "-days", "30",
        "-addext", "subjectAltName=\(names)", "-addext", "basicConstraints=critical,CA:FALSE",
      ])
  }

  /// One that was good until yesterday.
  public func makeExpired(_ file: String) throws -> TLSIdentity {
    let identity = try make(file)
    let request = folder + "/request"
    _ = try TestProcess.output([
      "openssl", "req", "-new", "-key", identity.keyFile, "-subj", "/CN=\(file)", "-out", request,
      "-addext", "subjectAltName=DNS:localhost",
    ])
    _ = try TestProcess.output([
      "openssl", "x509", "-req", "-in", request, "-CA", authority, "-CAkey", folder + "/authority.key", "-days", "-1",
      "-copy_extensions", "copy", "-out", identity.certificateFile,
    ])
    return identity
  }

  /// The same with its key behind a password.
  public func lock(_ identity: TLSIdentity) throws -> TLSIdentity {
    let locked = TLSIdentity(certificateFile: identity.certificateFile, keyFile: identity.keyFile + ".locked")
    _ = try TestProcess.output([
      "openssl", "pkey", "-in", identity.keyFile, "-aes256", "-passout", "pass:secret", "-out", locked.keyFile,
    ])
    return locked
  }

  /// Puts the files of `identity` in the place of those of `other`.
  public func replace(_ other: TLSIdentity, by identity: TLSIdentity) throws {
    _ = try TestProcess.output(["cp", identity.certificateFile, other.certificateFile])
    _ = try TestProcess.output(["cp", identity.keyFile, other.keyFile])
  }

  /// A file with these words in it.
  public func file(_ name: String, _ text: String) throws -> String {
    let path = "\(folder)/\(name)"
    _ = try TestProcess.output(["sh", "-c", "printf '%s' \"$0\" >\"$1\"", text, path])
    return path
  }

  private func request(_ file: String, _ words: [String]) throws -> TLSIdentity {
    let identity = TLSIdentity(certificateFile: "\(folder)/\(file).pem", keyFile: "\(folder)/\(file).key")
    let place = ["-nodes", "-keyout", identity.keyFile, "-out", identity.certificateFile]
    _ = try TestProcess.output(["openssl", "req"] + words + place)
    guard unsafe access(identity.certificateFile, R_OK) == 0 else { throw Failure(file: file) }
    return identity
  }

  private static func words(_ key: Key) -> [String] {
    switch key {
    case .p256: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    case .rsa2048: ["-newkey", "rsa:2048"]
    }
  }
}
