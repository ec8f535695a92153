import EventLoops
import Glibc

/// A folder that only this user can enter, for the files of one run.
struct TemporaryFolder {
  let path: String

  init() throws(SystemError) {
    var template = Array("/tmp/roost-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
    guard unsafe mkdtemp(&template) != nil else { throw SystemError(call: "mkdtemp", code: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Removes the folder with the files in it. It holds no folders.
  func remove() {
    if let folder = unsafe opendir(path) {
      while let entry = unsafe readdir(folder) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { unsafe unlink(file(name)) }
      }
      unsafe closedir(folder)
    }
    unsafe rmdir(path)
  }
}
