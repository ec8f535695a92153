import CSystem
import EventLoops
import Glibc

/// A blocking socket.
@safe
final class PlainClient: Sendable {
  private let descriptor: CInt

  /// - Parameter patience: seconds to wait for bytes.
  init(port: UInt16, patience: Double = 120) throws {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    waits(seconds: patience)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = port.bigEndian
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = unsafe withUnsafePointer(to: &place) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw SystemError(call: "connect", code: errno) }
  }

  init(taking descriptor: CInt) { self.descriptor = descriptor }

  /// For bytes, from now on.
  func waits(seconds: Double) {
    var time = timeval(tv_sec: Int(seconds), tv_usec: Int((seconds - seconds.rounded(.down)) * 1_000_000))
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// We say no more.
  func finish() { shutdown(descriptor, CInt(SHUT_WR)) }

  /// What one call gives; empty at the end, and when nothing comes.
  func receiveOnce(_ limit: Int = 65_536) -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: limit)
    let count = unsafe recv(descriptor, &chunk, limit, 0)
    return Array(chunk.prefix(max(0, count)))
  }

  /// So many bytes, or fewer when the connection ends or nothing comes.
  func receive(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let more = receiveOnce(count - bytes.count)
      if more.isEmpty { break }
      bytes += more
    }
    return bytes
  }

  /// Says it and returns what comes back, as long as what was said.
  func echo(_ text: String) -> String {
    send(Array(text.utf8))
    return String(decoding: receive(text.utf8.count), as: UTF8.self)
  }

  /// Whether the connection has ended, in order or by a reset.
  var isAtEnd: Bool {
    var byte: UInt8 = 0
    let count = unsafe recv(descriptor, &byte, 1, 0)
    return count == 0 || count < 0 && errno == ECONNRESET
  }
}

/// Says everything back. Its threads end with the test process.
final class EchoServer: Sendable {
  let port: UInt16

  init() throws {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &place) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard result else { throw SystemError(call: "listen", code: errno) }
    port = UInt16(bigEndian: place.sin_port)
    onNewThread(name: "echo") {
      while case let peer = accept(descriptor, nil, nil), peer >= 0 {
        onNewThread(name: "echo") {
          let client = PlainClient(taking: peer)
          while case let bytes = client.receiveOnce(), !bytes.isEmpty { client.send(bytes) }
        }
      }
    }
  }
}
