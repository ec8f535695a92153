import CSystem
import EventLoops
import Glibc
public import Transport

/// A blocking client over a plain socket, for tests of real servers. Knows just enough HTTP and WebSocket, written
/// apart from the code under test, so that both cannot be wrong in the same way; only TLS is that of `Transport`.
public struct TestClient: ~Copyable {
  public enum Failure: Error { case connect(CInt), send(CInt), receive(CInt), timeout, malformed, tls(String?) }

  public struct Frame: Equatable, Sendable {
    public let opcode: UInt8
    /// RSV1: the payload is compressed (RFC 7692).
    public let isCompressed: Bool
    public let payload: [UInt8]

    public init(opcode: UInt8, payload: [UInt8], isCompressed: Bool = false) {
      (self.opcode, self.payload, self.isCompressed) = (opcode, payload, isCompressed)
    }

    public var text: String { String(decoding: payload, as: UTF8.self) }
    /// The code of a close frame.
    public var closeCode: Int? {
      opcode == 8 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil
    }
  }

  private let descriptor: CInt
  /// Owns the descriptor when there is one. The socket blocks, and so does the stream.
  private var stream: ByteStream?
  private var received: [UInt8] = []
  /// What was read of `received`.
  private var read = 0

  /// - Parameters:
  ///   - source: the address to come from, of 127.0.0.0/8: `127.0.0.<source>`.
  ///   - receiveBuffer: bytes the kernel may hold for us; small ones make a slow reader.
  ///   - tls: speaks TLS, whose handshake is over when this returns.
  ///   - first: what is said in the clear before that, piece by piece; the last one comes together with what follows.
  public init(
    port: UInt16, source: UInt8 = 1, receiveBuffer: CInt? = nil, timeoutMilliseconds: Int = 60_000,
    tls: TLSClient? = nil, first: [[UInt8]] = []
  ) throws {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure.connect(errno) }
    if var size = receiveBuffer {
      unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    }
    var time = timeval(tv_sec: timeoutMilliseconds / 1_000, tv_usec: timeoutMilliseconds % 1_000 * 1_000)
    for direction in [SO_RCVTIMEO, SO_SNDTIMEO] {
      unsafe setsockopt(descriptor, SOL_SOCKET, direction, &time, socklen_t(MemoryLayout<timeval>.size))
    }
    var one: CInt = 1
    unsafe setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
    if source != 1 { _ = unsafe Self.withAddress(source, port: 0) { unsafe bind(descriptor, $0, $1) } }
    let result = unsafe Self.withAddress(1, port: port) { unsafe connect(descriptor, $0, $1) }
    guard result == 0 else {
      let code = errno
      close(descriptor)
      throw Failure.connect(code)
    }
    for piece in first.dropLast() { try send(piece) }
    try send(first.last ?? [], isMoreComing: true)
    guard let tls else { return }
    stream = tls.connect(Socket(taking: descriptor), to: "127.0.0.1")
    guard stream?.handshake() == .done(0) else { throw Failure.tls(stream?.failure ?? nil) }
  }

  deinit { if stream == nil { close(descriptor) } }

  private static func withAddress(
    _ last: UInt8, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
  ) -> CInt {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = (UInt32(0x7F00_0000) | UInt32(last)).bigEndian
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// Whether we hold a socket: true as long as the client lives, so asking keeps it alive until then.
  public var isOpen: Bool { descriptor >= 0 }

  // MARK: Bytes

  public func send(_ bytes: [UInt8]) throws { try send(bytes, isMoreComing: false) }

  private func send(_ bytes: [UInt8], isMoreComing: Bool) throws {
    if stream != nil { return try sendSecurely(bytes) }
    let flags = CInt(MSG_NOSIGNAL) | (isMoreComing ? CInt(MSG_MORE) : 0)
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, flags)
      }
      guard count > 0 else { throw Failure.send(errno) }
      sent += count
    }
  }

  public func send(_ text: String) throws { try send(Array(text.utf8)) }

  private func sendSecurely(_ bytes: [UInt8]) throws {
    guard unsafe stream?.send(bytes.span.bytes) == .done(bytes.count) else { throw Failure.send(errno) }
  }

  private mutating func receiveSecurely() throws -> Int {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    var span = chunk.mutableSpan
    var memory = unsafe span.mutableBytes
    switch stream?.receive(into: &memory) {
    case .done(let count):
      received += chunk[..<count]
      return count
    case .endOfStream: return 0
    case .wouldBlock, nil: throw Failure.timeout
    case .failed(let code): throw Failure.receive(code)
    }
  }

  /// Ends our sending; the server may still answer.
  public func shutdownSending() {
    if stream != nil { stream?.shutdownSending() } else { shutdown(descriptor, CInt(SHUT_WR)) }
  }

  /// False at the end of the stream.
  private mutating func receiveMore() throws -> Bool {
    if stream != nil {
      received.removeFirst(read)
      read = 0
      return try receiveSecurely() > 0
    }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
    guard count >= 0 else {
      if errno == EAGAIN { throw Failure.timeout }
      if errno == ECONNRESET { return false }
      throw Failure.receive(errno)
    }
    if read > 0 {
      received.removeFirst(read)
      read = 0
    }
    received += chunk[..<count]
    return count > 0
  }

  /// All that follows up to the end of the stream.
  public mutating func rest() throws -> [UInt8] {
    while try receiveMore() {}
    defer { read = received.count }
    return Array(received[read...])
  }

  /// Whether nothing follows but the end of the stream.
  public mutating func isAtEnd() throws -> Bool { try received.count == read && !receiveMore() }

  // MARK: HTTP

  public struct Answer: Sendable {
    public let status: Int
    public let head: String
    public let body: String
    /// The value of a header, whose name is given in lower case.
    public func header(_ name: String) -> String? {
      for line in head.split(separator: "\r\n").dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts[0].lowercased() == name, parts.count == 2 { return String(parts[1].drop { $0 == " " }) }
      }
      return nil
    }
  }

  /// The next answer with its body; nil at the end of the stream.
  public mutating func answer(toHead isHead: Bool = false) throws -> Answer? {
    received.removeFirst(read)
    read = 0
    var end = Self.headEnd(received)
    while end == nil {
      guard try receiveMore() else { return nil }
      end = Self.headEnd(received)
    }
    guard let end, let status = Int(String(decoding: received[9..<12], as: UTF8.self)) else { throw Failure.malformed }
    let head = String(decoding: received[..<end], as: UTF8.self)
    received.removeFirst(end + 4)
    let bare = Answer(status: status, head: head, body: "")
    let length = isHead ? 0 : bare.header("content-length").flatMap { Int($0) } ?? 0
    while received.count < length { guard try receiveMore() else { throw Failure.malformed } }
    defer { received.removeFirst(length) }
    return Answer(status: status, head: head, body: String(decoding: received[..<length], as: UTF8.self))
  }

  private static func headEnd(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    return (0...bytes.count - 4).first { bytes[$0...].starts(with: [13, 10, 13, 10]) }
  }

  /// A good upgrade request, with further header lines (each with its line end).
  public static func upgradeRequest(_ target: String, _ lines: String = "") -> String {
    "GET \(target) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(lines)\r\n"
  }

  /// Asks for a WebSocket and expects to get it.
  public mutating func upgrade(_ target: String, _ lines: String = "") throws {
    try send(Self.upgradeRequest(target, lines))
    guard try answer()?.status == 101 else { throw Failure.malformed }
  }

  // MARK: WebSocket

  /// One frame as a client sends it.
  public static func frame(
    _ payload: [UInt8], opcode: UInt8 = 1, isFinal: Bool = true, isCompressed: Bool = false
  ) -> [UInt8] {
    var frame = [(isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode]
    switch payload.count {
    case ...125: frame.append(0x80 | UInt8(payload.count))
    case ...0xFFFF: frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default: frame += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    return frame + key + payload.enumerated().map { $0.element ^ key[$0.offset & 3] }
  }

  public func sendFrame(_ text: String, opcode: UInt8 = 1) throws {
    try send(Self.frame(Array(text.utf8), opcode: opcode))
  }

  /// The next frame; nil at the end of the stream.
  public mutating func frame() throws -> Frame? {
    while true {
      if let (frame, count) = Self.parse(received[read...]) {
        read += count
        return frame
      }
      guard try receiveMore() else { return nil }
    }
  }

  /// The next frame's text; fails when there is none.
  public mutating func text() throws -> String {
    guard let frame = try frame() else { throw Failure.malformed }
    return frame.text
  }

  /// Frames up to the first one that `isWanted`.
  public mutating func skip(to isWanted: (Frame) -> Bool) throws -> Frame? {
    while let frame = try frame() { if isWanted(frame) { return frame } }
    return nil
  }

  private static func parse(_ bytes: ArraySlice<UInt8>) -> (Frame, Int)? {
    guard bytes.count >= 2 else { return nil }
    let (first, second) = (bytes[bytes.startIndex], bytes[bytes.startIndex + 1])
    let extended = second == 126 ? 2 : second == 127 ? 8 : 0
    guard bytes.count >= 2 + extended else { return nil }
    let length = extended == 0 ? Int(second) : bytes.dropFirst(2).prefix(extended).reduce(0) { $0 << 8 | Int($1) }
    let count = 2 + extended + length
    guard bytes.count >= count else { return nil }
    let payload = Array(bytes.prefix(count).dropFirst(2 + extended))
    return (Frame(opcode: first & 0x0F, payload: payload, isCompressed: first & 0x40 != 0), count)
  }
}
