import Testing

/// What may be imported where. Package.swift orders the targets; this also holds for the system's own modules, which
/// no manifest can forbid.
@Suite("Tidy: imports") struct ImportTests {
  /// The pure targets have nothing but each other: no kernel, no clock, no lock, no randomness.
  static let allowed: [String: Set<String>] = [
    "Buffers": [],
    "WebSocketCore": ["Buffers"],
    "HTTPCore": ["Buffers"],
    "RealtimeCore": ["Buffers"],
    "Locks": ["CSystem", "Synchronization"],
    "EventLoops": ["CSystem", "Glibc", "Locks", "Synchronization"],
    "Transport": ["COpenSSL", "EventLoops", "Glibc", "Locks", "Synchronization"],
    "Telemetry": ["Glibc", "Locks", "Synchronization"],
    "Tokens": ["COpenSSL", "FoundationEssentials", "Glibc", "Synchronization"],
    "Fetch": ["CCurl", "Glibc"],
    "Compression": ["Buffers", "CZlib"],
    "RedisRelay": [
      "Buffers", "CHiredis", "COpenSSL", "CSystem", "EventLoops", "Glibc", "Locks", "RealtimeCore",
      "Synchronization", "Transport",
    ],
    "LoadGenerator": [
      "Buffers", "CSystem", "EventLoops", "Glibc", "HTTPCore", "Synchronization", "Transport", "WebSocketCore",
    ],
    "RoostClient": [
      "Buffers", "EventLoops", "Glibc", "HTTPCore", "RealtimeCore", "Synchronization", "Transport", "WebSocketCore",
    ],
    "RoostServer": [
      "Buffers", "Compression", "CPages", "CSystem", "COpenSSL", "EventLoops", "Fetch", "FoundationEssentials", "Glibc",
      "HTTPCore",
      "Locks", "RealtimeCore", "RedisRelay", "Synchronization", "Telemetry", "Tokens", "Transport", "WebSocketCore",
    ],
    "roost": [
      "CSystem", "EventLoops", "FoundationEssentials", "Glibc", "HTTPCore", "LoadGenerator", "Locks", "RoostClient",
      "RoostServer", "Synchronization", "Telemetry", "Tokens", "Transport",
    ],
  ]

  static let pure = ["Buffers", "WebSocketCore", "HTTPCore", "RealtimeCore"]

  /// The pure targets, and what the client decides.
  static let pureFiles = Repository.sources.filter {
    pure.contains($0.target) || $0.path.hasPrefix("Sources/RoostClient/Core/")
  }

  @Test(arguments: Repository.sources)
  func `imports only what its target may`(file: RepositoryFile) throws {
    let allowed = try #require(Self.allowed[file.target], "give the target \(file.target) its imports here")
    for line in try file.lines() where line.first?.isWhitespace == false {
      guard let module = line.firstMatch(of: /^(?:@\S+ +)*(?:\w+ +)?import +(?:[a-z]+ +)?(\w+)/)?.1 else { continue }
      #expect(allowed.contains(String(module)), "\(file.path) imports \(module)")
    }
  }

  @Test(arguments: pureFiles.filter { !pure.contains($0.target) })
  func `what a client decides has no more than the pure targets`(file: RepositoryFile) throws {
    for line in try file.lines() {
      guard let module = line.firstMatch(of: /^(?:\w+ +)?import +(\w+)/)?.1 else { continue }
      #expect(Self.pure.contains(String(module)), "\(file.path) imports \(module)")
    }
  }

  @Test(arguments: pureFiles)
  func `pure code does not wait and asks no one for time or chance`(file: RepositoryFile) throws {
    let forbidden = [/\basync\b/, /\bawait\b/, /\.random\(/, /SystemRandomNumberGenerator/, /Clock\(\)/, /\bprint\(/]
    for (index, line) in try file.lines().enumerated() where !line.contains(/^ *\/\//) {
      for word in forbidden where line.contains(word) {
        Issue.record("\(file.path):\(index + 1): \(line)")
      }
    }
  }
}
