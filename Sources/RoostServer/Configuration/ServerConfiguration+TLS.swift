public import Transport

extension ServerConfiguration {
  /// Paths of a certificate with its chain and of its key, as PEM files. Both, or none.
  public struct KeyFiles: Equatable, Sendable {
    public var certificateFile = ""
    public var keyFile = ""

    public init() {}

    var isEmpty: Bool { certificateFile.isEmpty && keyFile.isEmpty }
    /// One is missing.
    var isHalf: Bool { certificateFile.isEmpty != keyFile.isEmpty }

    /// `nil` unless both are given.
    public var identity: TLSIdentity? {
      guard !certificateFile.isEmpty, !keyFile.isEmpty else { return nil }
      return TLSIdentity(certificateFile: certificateFile, keyFile: keyFile)
    }
  }

  /// How TLS towards Redis is made. The server's certificate is always checked, and its name against the URL's host.
  public struct RedisTLS: Equatable, Sendable {
    /// The authorities that are believed, as a PEM file; empty: those the machine trusts.
    public var authorityFile = ""
    /// Shown to a Redis that asks who we are.
    public var own = KeyFiles()

    public init() {}

    var isEmpty: Bool { authorityFile.isEmpty && own.isEmpty }

    func client() throws(TLSFailure) -> TLSClient {
      try TLSClient(authorityFile.isEmpty ? .system : .file(authorityFile), identity: own.identity)
    }
  }

  /// What is wrong with the files of TLS. Reads them.
  var tlsProblems: [String] {
    var problems: [String] = []
    if tls.isHalf {
      problems.append(tls.keyFile.isEmpty ? "tls-cert: needs tls-key as well" : "tls-key: needs tls-cert as well")
    }
    if let identity = tls.identity {
      do { _ = try TLSServer(identity) } catch { problems.append("tls-cert, tls-key: \(error)") }
    }
    guard redisURLs.contains(where: { $0.hasPrefix("rediss://") }) else {
      return problems + (redisTLS.isEmpty ? [] : ["redis-ca-file, redis-cert-file, redis-key-file: for rediss:// only"])
    }
    if redisTLS.own.isHalf { problems.append("redis-cert-file, redis-key-file: one needs the other") }
    do { _ = try redisTLS.client() } catch { problems.append("redis-url: \(error)") }
    return problems
  }

  /// Nothing that keeps a node from starting, but what an operator should know. Reads the certificate.
  var remarks: [String] {
    guard let identity = tls.identity, let warning = (try? TLSServer(identity))?.warning else { return [] }
    return ["tls-cert: \(warning)"]
  }
}
