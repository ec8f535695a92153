internal import EventLoops
internal import RedisRelay

extension ServerConfiguration {
  /// What keeps a node with this configuration from starting, beyond values that are no values at all. Empty: it may.
  public var problems: [String] {
    tokenProblems + placeProblems + redisProblems + administrationProblems + limitProblems + originProblems
      + tlsProblems + drainProblems
  }

  private var placeProblems: [String] {
    var problems: [String] = []
    if Address(host: host, port: port) == nil { problems.append("host: \"\(host)\" is not an IP address") }
    if !nodeID.utf8.allSatisfy(Self.isNameByte) || nodeID.utf8.count > 64 {
      problems.append("node-id: at most 64 of a-z A-Z 0-9 . _ -")
    }
    let isPrintable = redisPrefix.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "{") }
    if redisPrefix.isEmpty || redisPrefix.utf8.count > 64 || !isPrintable {
      problems.append("redis-prefix: 1 to 64 printable characters without braces")
    }
    if !echo.path.hasPrefix("/") || !echo.path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
      problems.append("echo-path: \"\(echo.path)\" is not a path")
    }
    return problems
  }

  /// The most servers that rooms may be spread over.
  private static var redisServerLimit: Int { 32 }

  private var redisProblems: [String] {
    guard !redisURL.isEmpty else { return redisPassword.isEmpty ? [] : ["redis-password: there is no redis-url"] }
    guard redisURLs.count <= Self.redisServerLimit else {
      return ["redis-url: at most \(Self.redisServerLimit) servers"]
    }
    do {
      let servers = try redisServers()
      let isTwice = servers.indices.contains { servers[..<$0].contains(servers[$0]) }
      return isTwice ? ["redis-url: a server is named twice"] : []
    } catch { return ["redis-url: \(error)"] }
  }

  private var administrationProblems: [String] {
    var problems = apiKeys.indices.filter { !APIKeys.isAcceptable(apiKeys[$0]) }.map {
      "api-key: number \($0 + 1) is not 32 to 512 visible ASCII characters (make one: openssl rand -hex 32)"
    }
    if let adminPort {
      if Address(host: adminHost, port: adminPort) == nil {
        problems.append("admin-host: \"\(adminHost)\" is not an IP address")
      }
      if adminPort != 0 && adminPort == port { problems.append("admin-port: is the main port") }
    }
    return problems
  }

  private var limitProblems: [String] {
    var problems: [String] = []
    if expectsProxyHeader && trustedProxies.isEmpty {
      problems.append("proxy-protocol: on is only for trusted-proxies, and there are none")
    }
    if times.ping >= times.pong {
      problems.append("ping-period (\(times.ping)) must be shorter than pong-wait (\(times.pong))")
    }
    if limits.queueBytes < limits.messageBytes {
      problems.append("queue-size must hold at least one message of message-size")
    }
    // A shard reads 256 KiB at once: with less than this a client could be left unread for minutes.
    if (1..<16_384).contains(limits.bytesPerSecond) { problems.append("bytes-per-second: 0, or at least 16k") }
    return problems
  }

  private var originProblems: [String] {
    guard case .listed(let origins) = origins else { return [] }
    return origins.filter { !Self.isOrigin($0) }.map {
      "origins: \"\($0)\" is not an origin such as https://chat.example.com, or a lone *"
    }
  }

  /// Scheme and host, as browsers send them: lower case, no path, no user, no default port.
  private static func isOrigin(_ text: String) -> Bool {
    let rest = ["https://", "http://"].first(where: text.hasPrefix).map { text.dropFirst($0.count) } ?? ""
    return !rest.isEmpty && rest == rest.lowercased()
      && rest.utf8.allSatisfy { isNameByte($0) || [":", "[", "]"].contains(UnicodeScalar($0)) }
      && !text.hasSuffix(text.hasPrefix("https") ? ":443" : ":80")
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch UnicodeScalar(byte) {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
    default: false
    }
  }
}
