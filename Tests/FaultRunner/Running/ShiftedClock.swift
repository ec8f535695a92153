import Foundation
import Glibc
import RoostTesting

/// A wall clock that can be set, for single processes: a small C library of ours, built where it is needed and loaded
/// before everything else.
@safe
final class ShiftedClock {
  private let file: String
  private let library: String

  init(folder: String, name: String) throws {
    (file, library) = ("\(folder)/\(name).shift", "\(folder)/\(name).so")
    let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "shifted-clock.c").path
    try set(milliseconds: 0)
    let compiler = try TestProcess(["clang", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source])
    guard compiler.ended() == 0 else {
      throw Site.Failure(description: "clang cannot build \(source): \(compiler.text)")
    }
  }

  /// From now on the processes' clocks differ from ours by so much.
  func set(milliseconds: Int64) throws {
    // Written in place: the processes look at this very file.
    let descriptor = unsafe open(file, O_WRONLY | O_CREAT, 0o600)
    guard descriptor >= 0 else { throw Site.Failure(description: "cannot write \(file)") }
    defer { close(descriptor) }
    var value = milliseconds
    _ = unsafe pwrite(descriptor, &value, 8, 0)
  }

  private var variables: [String: String] { ["LD_PRELOAD": library, "SHIFTED_CLOCK": file] }

  /// What a node's command must begin with.
  var wrapper: [String] { ["env"] + variables.map { "\($0)=\($1)" } }

  func startRedis(_ options: [String]) throws -> RedisServer {
    for (name, value) in variables { unsafe setenv(name, value, 1) }
    defer { for name in variables.keys { unsafe unsetenv(name) } }
    return try RedisServer(options)
  }
}
