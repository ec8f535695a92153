import Glibc
import Synchronization

/// Ports of 127.0.0.1 for programs that tests start.
///
/// They are outside of the range from which the kernel takes ports for outgoing connections and for listeners that ask
/// for any, so nothing grabs one before its program does; and none is given to two tests of this process.
public enum FreePorts {
  public struct Failure: Error { public let count: Int }

  private static let given = Mutex<Set<UInt16>>([])

  /// The first of `count` in a row.
  public static func take(_ count: Int = 1) throws -> UInt16 {
    try given.withLock { given in
      for _ in 0..<1_000 {
        let first = UInt16.random(in: 20_000..<32_000)
        let all = first..<first + UInt16(count)
        guard all.allSatisfy({ !given.contains($0) && isFree($0) }) else { continue }
        given.formUnion(all)
        return first
      }
      throw Failure(count: count)
    }
  }

  private static func isFree(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
