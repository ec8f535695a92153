import CSystem
import EventLoops
import Glibc
import Synchronization

/// Listens where a Redis is expected and says what the test wants: the hostile Redis.
@safe
public final class RedisImpostor: Sendable {
  public let port: UInt16
  private let listener: CInt
  private let accepted = Atomic<Int>(0)

  /// - Parameter say: what each new connection gets at once, by its number from 0 on. Then it is held open, and what
  ///   it sends is swallowed.
  public init(_ say: @escaping @Sendable (Int) -> [UInt8]) throws {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard result else { throw RedisServer.Failure(description: "no free port") }
    (listener, port) = (descriptor, UInt16(bigEndian: address.sin_port))
    onNewThread(name: "impostor") { [self] in serve(say) }
  }

  /// How many connections came so far.
  public var connections: Int { accepted.load(ordering: .relaxed) }

  /// Ends the listening; its thread goes.
  public func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

  private func serve(_ say: @escaping @Sendable (Int) -> [UInt8]) {
    while case let peer = accept(listener, nil, nil), peer >= 0 {
      let number = accepted.wrappingAdd(1, ordering: .relaxed).oldValue
      onNewThread(name: "impostor") {
        var rest = say(number)[...]
        while !rest.isEmpty {
          let sent = unsafe rest.withUnsafeBytes { unsafe send(peer, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
          guard sent > 0 else { break }
          rest = rest.dropFirst(sent)
        }
        var sink = [UInt8](repeating: 0, count: 4_096)
        while unsafe read(peer, &sink, sink.count) > 0 {}
        close(peer)
      }
    }
    close(listener)
  }
}
