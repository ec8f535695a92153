// swift-tools-version: 6.2
import PackageDescription

// Every target obeys the same rules: Swift 6 mode, no warning survives, every unsafe line says so.
let rules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// One room of the house. Arrows only point down: a target may name only targets listed above it.
func room(_ name: String, _ below: [Target.Dependency] = [], _ more: [SwiftSetting] = []) -> Target {
  .target(name: name, dependencies: below, swiftSettings: rules + more)
}

func tests(_ name: String, _ subjects: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: subjects, swiftSettings: rules)
}

let package = Package(
  name: "roost",
  products: [
    .executable(name: "roost", targets: ["roost"]),
    .library(name: "RoostClient", targets: ["RoostClient"]),
  ],
  targets: [
    // C: module maps over Debian's libraries, and no code of our own
    .systemLibrary(name: "CSystem"),
    .systemLibrary(name: "CHiredis"),
    .systemLibrary(name: "COpenSSL"),
    .systemLibrary(name: "CCurl"),
    .systemLibrary(name: "CZlib"),
    // the files of pages/ and clients/ as bytes
    .target(name: "CPages"),

    // pure: no kernel, no clock, no randomness
    // Buffers alone may return spans of what it owns: see docs/workarounds.md
    room("Buffers", [], [.enableExperimentalFeature("Lifetimes")]),
    room("WebSocketCore", ["Buffers"]),
    room("HTTPCore", ["Buffers"]),
    room("RealtimeCore", ["Buffers"]),

    // the doors: kernel, OpenSSL, zlib, Redis
    room("Locks", ["CSystem"]),
    room("EventLoops", ["CSystem", "Locks"]),
    room("Transport", ["COpenSSL", "CSystem", "EventLoops", "Locks"]),
    room("Telemetry", ["Locks"]),
    room("Tokens", ["COpenSSL"]),
    room("Fetch", ["CCurl"]),
    room("Compression", ["Buffers", "CZlib"]),
    room(
      "RedisRelay",
      ["Buffers", "CHiredis", "COpenSSL", "EventLoops", "Locks", "RealtimeCore", "Transport"]),
    room("LoadGenerator", ["Buffers", "EventLoops", "HTTPCore", "Transport", "WebSocketCore"]),
    // what other packages may depend on
    room(
      "RoostClient", ["Buffers", "EventLoops", "HTTPCore", "RealtimeCore", "Transport", "WebSocketCore"]),

    // the shell
    room(
      "RoostServer",
      [
        "Buffers", "Compression", "CPages", "CSystem", "COpenSSL", "EventLoops", "Fetch", "HTTPCore", "Locks",
        "RealtimeCore", "RedisRelay", "Telemetry", "Tokens", "Transport", "WebSocketCore",
      ]),
    .executableTarget(
      name: "roost",
      dependencies: [
        "CSystem", "EventLoops", "HTTPCore", "LoadGenerator", "Locks", "RoostClient", "RoostServer", "Telemetry",
        "Tokens", "Transport",
      ],
      swiftSettings: rules),

    .target(
      name: "RoostTesting",
      dependencies: [
        "Buffers", "COpenSSL", "CSystem", "CZlib", "EventLoops", "LoadGenerator", "RealtimeCore", "Tokens", "Transport",
      ],
      path: "Tests/RoostTesting", swiftSettings: rules),
    // a whole cluster in one thread, under a seed
    .target(
      name: "Simulation", dependencies: ["Buffers", "EventLoops", "RealtimeCore", "RedisRelay"],
      path: "Tests/Simulation", exclude: ["Mutants"], swiftSettings: rules),
    .executableTarget(
      name: "simulate", dependencies: ["RealtimeCore", "Simulation"], path: "Tests/simulate", swiftSettings: rules),
    .target(
      name: "FaultRunner", dependencies: ["EventLoops", "LoadGenerator", "RoostTesting", "Tokens"],
      path: "Tests/FaultRunner", exclude: ["shifted-clock.c"], swiftSettings: rules),
    .executableTarget(
      name: "faults", dependencies: ["EventLoops", "FaultRunner"], path: "Tests/FaultProgram", swiftSettings: rules),
    // what strangers send, against the code that reads it; driven by libFuzzer, or by the corpus in FuzzTests
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Buffers", "Compression", "COpenSSL", "EventLoops", "HTTPCore", "RealtimeCore", "RedisRelay", "RoostServer",
        "Tokens",
        "WebSocketCore",
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: rules),
    tests("FuzzTests", ["FuzzTargets"]),
    // what judging a token costs
    .executableTarget(
      name: "token-costs", dependencies: ["RoostTesting", "Tokens"], path: "Tests/TokenCosts", swiftSettings: rules),
    tests("FaultRunnerTests", ["CSystem", "FaultRunner", "EventLoops", "RoostTesting"]),
    tests("BuffersTests", ["Buffers", "RoostTesting"]),
    tests("WebSocketCoreTests", ["WebSocketCore", "RoostTesting"]),
    tests("HTTPCoreTests", ["HTTPCore", "RoostTesting"]),
    tests("RealtimeCoreTests", ["RealtimeCore", "RoostTesting"]),
    tests("EventLoopsTests", ["EventLoops", "RoostTesting"]),
    tests("TransportTests", ["CSystem", "EventLoops", "RoostTesting", "Transport"]),
    tests("TokensTests", ["COpenSSL", "Tokens", "RoostTesting"]),
    tests("CompressionTests", ["Buffers", "Compression", "RoostTesting"]),
    tests("TelemetryTests", ["Telemetry", "RoostTesting"]),
    tests("RedisRelayTests", ["CSystem", "RedisRelay", "RealtimeCore", "RoostTesting", "Simulation", "Transport"]),
    tests("FetchTests", ["Fetch", "RoostTesting"]),
    tests("RoostServerTests", ["Compression", "RoostServer", "RoostTesting", "Tokens", "Transport"]),
    tests("RoostClientTests", ["RoostClient", "RoostTesting", "Transport"]),
    tests("ClusterTests", ["EventLoops", "RoostClient", "RoostTesting", "LoadGenerator", "Tokens", "Transport"]),
    tests("SimulationTests", ["RealtimeCore", "Simulation"]),
    tests("TidyTests", []),
  ]
)

// Links only with libFuzzer, which only builds with its flags have: see scripts/fuzz.
if Context.environment["ROOST_FUZZ"] != nil {
  package.targets += [
    .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
    .executableTarget(
      name: "fuzz", dependencies: ["CFuzzer", "FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: rules),
  ]
}

// Builds under a sanitizer take long and run some of the tests: they leave out what those do not need (scripts/check).
if let tests = Context.environment["ROOST_TESTS"] {
  var open = tests.split(separator: ",").map(String.init)
  var needed: Set<String> = []
  while let name = open.popLast() {
    guard needed.insert(name).inserted else { continue }
    for case .byNameItem(let below, _) in package.targets.first(where: { $0.name == name })?.dependencies ?? [] {
      open.append(below)
    }
  }
  package.targets.removeAll { !needed.contains($0.name) }
  package.products = []
}
