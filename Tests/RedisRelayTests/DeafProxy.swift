import CSystem
import EventLoops
import Glibc
import RoostTesting
import Synchronization

/// Stands between a node and its Redis. When it is deaf, whoever subscribed hears nothing more, and nothing else
/// changes: no error, no end of the stream.
@safe
final class DeafProxy: Sendable {
  let port: UInt16
  private let listener: CInt
  private let target: UInt16
  private let deaf = Flag()

  init(to server: RedisServer) throws {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = Self.loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard result else { throw RelayBench.TooLate(description: "no free port") }
    (listener, port, target) = (descriptor, UInt16(bigEndian: address.sin_port), server.port)
    onNewThread(name: "proxy") { [self] in accept() }
  }

  /// Connections that have subscribed hear nothing from now on; later ones are as they should be.
  func turnDeaf() { deaf.set() }
  func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

  private func accept() {
    while case let client = Glibc.accept(listener, nil, nil), client >= 0 {
      let server = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
      var address = Self.loopback(target)
      let isConnected = unsafe withUnsafePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      guard isConnected else {
        close(client)
        close(server)
        continue
      }
      let line = Line()
      let wasDeaf = deaf.isSet
      onNewThread(name: "proxy") { [self] in
        copy(client, server) { bytes in
          if !wasDeaf, String(decoding: bytes, as: UTF8.self).contains("SUBSCRIBE") { line.isSubscriber.set() }
          return true
        }
        line.end(client, server)
      }
      onNewThread(name: "proxy") { [self] in
        copy(server, client) { _ in !(line.isSubscriber.isSet && deaf.isSet) }
        line.end(client, server)
      }
    }
    close(listener)
  }

  private func copy(_ from: CInt, _ to: CInt, _ passes: (ArraySlice<UInt8>) -> Bool) {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe read(from, &chunk, chunk.count), count > 0 {
      guard passes(chunk[..<count]) else { continue }
      var rest = chunk[..<count]
      while !rest.isEmpty {
        let sent = unsafe rest.withUnsafeBytes { unsafe send(to, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        guard sent > 0 else { return }
        rest = rest.dropFirst(sent)
      }
    }
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  private final class Line: Sendable {
    let isSubscriber = Flag()
    private let ends = Atomic(0)

    /// The first direction that ends takes the other with it; the second closes the sockets.
    func end(_ client: CInt, _ server: CInt) {
      shutdown(client, CInt(SHUT_RDWR))
      shutdown(server, CInt(SHUT_RDWR))
      guard ends.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == 2 else { return }
      close(client)
      close(server)
    }
  }

  private final class Flag: Sendable {
    private let value = Atomic(false)
    func set() { value.store(true, ordering: .relaxed) }
    var isSet: Bool { value.load(ordering: .relaxed) }
  }
}
