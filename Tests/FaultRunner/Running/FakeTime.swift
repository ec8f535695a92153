import Foundation
import Glibc
import RoostTesting

/// A clock that can be set, for one process: libfaketime from Debian's package `faketime`, loaded before everything.
enum FakeTime {
  private static let places = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]

  /// `nil` when the package is not installed.
  static var library: String? {
    places.map { $0 + "/faketime/libfaketime.so.1" }.first { FileManager.default.fileExists(atPath: $0) }
  }

  /// Starts a Redis whose wall clock is off by what `file` says, such as `+30s`, looked at every second.
  static func startRedis(_ options: [String], file: String) throws -> RedisServer {
    guard let library else { throw Site.Failure(description: "no libfaketime: install faketime") }
    try "+0s".write(toFile: file, atomically: true, encoding: .utf8)
    let variables = [
      "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_CACHE_DURATION": "1",
      "DONT_FAKE_MONOTONIC": "1",
    ]
    for (name, value) in variables { unsafe setenv(name, value, 1) }
    defer { for name in variables.keys { unsafe unsetenv(name) } }
    return try RedisServer(options)
  }
}
