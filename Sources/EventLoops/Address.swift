import CSystem
import Glibc

/// A socket address: IPv4, IPv6 or a unix socket's path.
@safe
public struct Address: Sendable, CustomStringConvertible {
  private var storage = sockaddr_storage()
  private var length: socklen_t

  init(_ storage: sockaddr_storage, length: socklen_t) { (self.storage, self.length) = (storage, length) }

  /// A numeric host ("127.0.0.1", "::1") with a port; `nil` when it is a name or nonsense.
  public init?(host: String, port: UInt16) {
    var v4 = sockaddr_in()
    var v6 = sockaddr_in6()
    if unsafe inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
      v4.sin_family = sa_family_t(AF_INET)
      v4.sin_port = port.bigEndian
      length = socklen_t(MemoryLayout<sockaddr_in>.size)
      store(v4)
    } else if unsafe inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 {
      v6.sin6_family = sa_family_t(AF_INET6)
      v6.sin6_port = port.bigEndian
      length = socklen_t(MemoryLayout<sockaddr_in6>.size)
      store(v6)
    } else {
      return nil
    }
  }

  /// A unix socket; `nil` when the path is empty or too long for the kernel (107 bytes).
  public init?(unixPath path: String) {
    var address = sockaddr_un()
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    guard !path.isEmpty, path.utf8.count < capacity, !path.utf8.contains(0) else { return nil }
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    length = socklen_t(MemoryLayout<sockaddr_un>.size)
    store(address)
  }

  /// Asks the resolver, which blocks: call it on a thread of its own (``onNewThread(name:_:)``).
  public static func resolve(host: String, port: UInt16) -> [Address] {
    if let numeric = Address(host: host, port: port) { return [numeric] }
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return [] }
    defer { unsafe freeaddrinfo(list) }
    var found: [Address] = []
    var next = unsafe list
    while let entry = unsafe next?.pointee {
      var storage = sockaddr_storage()
      unsafe withUnsafeMutableBytes(of: &storage) {
        unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen)))
      }
      found.append(Address(storage, length: unsafe entry.ai_addrlen))
      unsafe next = unsafe entry.ai_next
    }
    return found
  }

  public var family: CInt { CInt(storage.ss_family) }

  public var port: UInt16 {
    switch family {
    case AF_INET: UInt16(bigEndian: read(sockaddr_in.self).sin_port)
    case AF_INET6: UInt16(bigEndian: read(sockaddr_in6.self).sin6_port)
    default: 0
    }
  }

  /// The host in numbers, without the port. IPv4 inside IPv6 is shown as IPv4.
  public var host: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    switch family {
    case AF_INET:
      var address = read(sockaddr_in.self).sin_addr
      unsafe inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
    case AF_INET6:
      var address = read(sockaddr_in6.self).sin6_addr
      unsafe inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
    default: return "unix"
    }
    let shown = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return shown.hasPrefix("::ffff:") && shown.contains(".") ? String(shown.dropFirst(7)) : shown
  }

  /// The host's 128 bits, IPv4 as IPv6 maps it (`::ffff:a.b.c.d`); nil for a unix socket.
  public var bits: (high: UInt64, low: UInt64)? {
    switch family {
    case AF_INET: (0, 0xFFFF_0000_0000 | UInt64(UInt32(bigEndian: read(sockaddr_in.self).sin_addr.s_addr)))
    case AF_INET6: Self.halves(read(sockaddr_in6.self).sin6_addr)
    default: nil
    }
  }

  private static func halves(_ address: in6_addr) -> (high: UInt64, low: UInt64) {
    unsafe withUnsafeBytes(of: address) {
      unsafe (
        UInt64(bigEndian: $0.load(as: UInt64.self)), UInt64(bigEndian: $0.load(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }

  public var description: String { family == AF_INET6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

  static func local(of descriptor: CInt) -> Address {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    unsafe withUnsafeMutablePointer(to: &storage) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = unsafe getsockname(descriptor, $0, &length) }
    }
    return Address(storage, length: length)
  }

  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    unsafe withUnsafePointer(to: storage) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
    }
  }

  private mutating func store<Specific>(_ address: Specific) {
    unsafe withUnsafeMutableBytes(of: &storage) { target in
      unsafe withUnsafeBytes(of: address) { unsafe target.copyMemory(from: $0) }
    }
  }

  private func read<Specific>(_: Specific.Type) -> Specific {
    unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: Specific.self) }
  }
}
