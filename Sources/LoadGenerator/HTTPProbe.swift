import Buffers
public import EventLoops
import Glibc
import HTTPCore
public import Transport

/// A small blocking HTTP client: for health checks, and for asking a node how it is.
public enum HTTPProbe {
  public struct Answer: Sendable, Equatable {
    public var status: Int
    public var body: [UInt8]
    /// The head as it came.
    public var head: String

    public var text: String { String(decoding: body, as: UTF8.self) }
  }

  /// `GET path`; `nil` when there is no sensible answer within `milliseconds`. The connection is closed.
  ///
  /// - Parameter tls: what the certificate must satisfy, with the address as its name; `nil`: in the clear.
  public static func get(
    _ path: String, from address: Address, headers: [(name: String, value: String)] = [], tls: TLSClient? = nil,
    milliseconds: Int = 2_000
  ) -> Answer? {
    let deadline = monotonicMilliseconds() + Int64(milliseconds)
    var endpoint = Endpoint(address: address, host: "\(address)", target: path)
    endpoint.tls = tls
    guard let socket = try? endpoint.connect(), wait(for: socket, POLLOUT, until: deadline), socket.takeError() == 0,
      shakeHands(socket, until: deadline)
    else { return nil }
    var request = ByteBuffer()
    request.append("GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n")
    for header in headers { request.append("\(header.name): \(header.value)\r\n") }
    request.append("\r\n" as StaticString)
    guard case .done(let sent) = socket.send(request.bytes), sent == request.count else { return nil }
    return receive(from: socket, until: deadline)
  }

  private static func shakeHands(_ socket: borrowing ByteStream, until deadline: Int64) -> Bool {
    while true {
      switch socket.handshake() {
      case .done: return true
      case .endOfStream, .failed: return false
      case .wouldBlock:
        let what = socket.needsWritable ? POLLIN | POLLOUT : POLLIN
        guard wait(for: socket, what, until: deadline) else { return false }
      }
    }
  }

  private static func receive(from socket: borrowing ByteStream, until deadline: Int64) -> Answer? {
    var buffer = ReceiveBuffer(capacity: 64 * 1_024)
    var received = ByteBuffer()
    var parser = ResponseParser()
    var head: ResponseHead?
    while true {
      guard socket.holdsMore || wait(for: socket, POLLIN, until: deadline) else { return nil }
      let result = buffer.receive(after: RawSpan(), from: socket)
      if case .failed = result { return nil }
      buffer.withContent { received.append($0.bytes) }
      if head == nil {
        guard let parsed = try? parser.parse(received.bytes) else {
          if result == .endOfStream { return nil }
          continue
        }
        head = parsed
      }
      guard let head else { continue }
      let length = head.bodyLength ?? (result == .endOfStream ? received.count - head.byteCount : .max)
      if received.count - head.byteCount >= length {
        return Answer(
          status: head.status, body: received.array(head.byteCount..<head.byteCount + length),
          head: String(decoding: received.array(0..<head.byteCount), as: UTF8.self))
      }
      if result == .endOfStream { return nil }
    }
  }

  private static func wait(for socket: borrowing ByteStream, _ what: CInt, until deadline: Int64) -> Bool {
    while true {
      var ready = pollfd(fd: socket.descriptor, events: CShort(what), revents: 0)
      let left = deadline - monotonicMilliseconds()
      guard left > 0 else { return false }
      let count = unsafe poll(&ready, 1, CInt(clamping: left))
      if count > 0 { return true }
      if count < 0 && errno != EINTR { return false }
    }
  }
}
