import Glibc
import RoostServer

/// Standard output and error, the environment, and files: what a command sees of its surroundings.
enum Console {
  static func print(_ text: String) { write(text + "\n", to: 1) }
  static func complain(_ text: String) { write(text + "\n", to: 2) }

  /// All of it, or nothing more when nobody reads.
  static func write(_ text: String, to descriptor: CInt) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { return }
      rest = rest.dropFirst(max(0, count))
    }
  }

  static var environment: [String: String] {
    var variables: [String: String] = [:]
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      let parts = unsafe String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      unsafe entry += 1
    }
    return variables
  }

  struct FileError: Error, CustomStringConvertible {
    let description: String

    init(_ code: CInt) { description = unsafe String(cString: strerror(code)) }
  }

  /// The most of a file that is read: more than a key set may have, so that one that is too large is seen to be.
  private static let longestFile = 320 * 1_024

  /// The bytes of a file, or the first 320 KiB of them.
  static func readFile(_ path: String) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(errno) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: longestFile)
    var count = 0
    while count < bytes.count {
      let added = unsafe bytes.withUnsafeMutableBytes {
        unsafe read(descriptor, $0.baseAddress! + count, $0.count - count)
      }
      guard added >= 0 else { throw FileError(errno) }
      if added == 0 { break }
      count += added
    }
    return Array(bytes[..<count])
  }

  /// Whether more may read a secret's file than must; false when there is none.
  static func isExposed(_ path: String) -> Bool {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return false }
    return SecretSetting.isExposed(mode: status.st_mode, isOwn: status.st_uid == geteuid())
  }

  /// Makes a file that only this user can read.
  static func writeFile(_ path: String, _ text: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileError(errno) }
    write(text, to: descriptor)
    close(descriptor)
  }

  /// The path of this program.
  static var executable: String {
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = unsafe bytes.withUnsafeMutableBytes { memory in
      unsafe readlink("/proc/self/exe", memory.baseAddress!.assumingMemoryBound(to: CChar.self), memory.count)
    }
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// Where `name` is on the search path; `nil` when it is not installed.
  static func find(_ name: String) -> String? {
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
    return folders.lazy.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
  }
}
