import Buffers
public import EventLoops
import Glibc
import HTTPCore
public import Transport

/// A small blocking HTTP client: for health checks, for asking a node how it is, and for commands that call its API.
public enum HTTPProbe {
  public struct Answer: Sendable, Equatable {
    public var status: Int
    public var body: [UInt8]
    /// The head as it came.
    public var head: String

    public var text: String { String(decoding: body, as: UTF8.self) }

    /// Seconds after which the server wants to be asked again.
    public var retryAfter: Int? {
      let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("retry-after:") }
      return line.flatMap { Int($0.dropFirst("retry-after:".count).drop { $0 == " " }) }
    }
  }

  /// Why there is no answer, in words for people.
  public enum Failure: Error, Equatable, CustomStringConvertible {
    /// Nothing was sent.
    case unreachable(String)
    /// Nothing was sent, because the certificate is not one to believe.
    case untrusted(String)
    /// The request may have been read, or not.
    case noAnswer(String)

    public var description: String {
      switch self {
      case .unreachable(let reason): "cannot be reached: \(reason)"
      case .untrusted(let reason): "the server's certificate is not believed: \(reason)"
      case .noAnswer(let reason): "does not answer: \(reason)"
      }
    }
  }

  /// The largest answer that is read, in bytes.
  private static let largestAnswer = 32 << 20

  /// `GET path`; `nil` when there is no sensible answer within `milliseconds`. The connection is closed.
  ///
  /// - Parameter tls: what the certificate must satisfy, with the address as its name; `nil`: in the clear.
  public static func get(
    _ path: String, from address: Address, headers: [(name: String, value: String)] = [], tls: TLSClient? = nil,
    milliseconds: Int = 2_000
  ) -> Answer? {
    var endpoint = Endpoint(address: address, host: "\(address)", target: path)
    endpoint.tls = tls
    return try? call("GET", at: endpoint, headers: headers, milliseconds: milliseconds)
  }

  /// One request, whose connection is closed. An endpoint's token goes along as `Authorization`.
  public static func call(
    _ method: String, at endpoint: Endpoint, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
    milliseconds: Int
  ) throws(Failure) -> Answer {
    let deadline = monotonicMilliseconds() + Int64(milliseconds)
    let socket = try open(endpoint)
    guard wait(for: socket, POLLOUT, until: deadline) else { throw .unreachable("no answer in time") }
    let error = socket.takeError()
    guard error == 0 else { throw .unreachable("\(SystemError(call: "connect", code: error))") }
    try shakeHands(socket, until: deadline)
    var request = ByteBuffer()
    request.append("\(method) \(endpoint.target) HTTP/1.1\r\nHost: \(endpoint.host)\r\nConnection: close\r\n")
    let authorization = endpoint.token.map { [(name: "Authorization", value: "Bearer \($0)")] } ?? []
    for header in authorization + headers { request.append("\(header.name): \(header.value)\r\n") }
    if let body { request.append("Content-Length: \(body.count)\r\n") }
    request.append("\r\n" as StaticString)
    if let body { request.append(body) }
    try send(&request, to: socket, until: deadline)
    return try receive(from: socket, until: deadline)
  }

  private static func open(_ endpoint: Endpoint) throws(Failure) -> ByteStream {
    do { return try endpoint.connect() } catch { throw .unreachable("\(error)") }
  }

  private static func shakeHands(_ socket: borrowing ByteStream, until deadline: Int64) throws(Failure) {
    while true {
      switch socket.handshake() {
      case .done: return
      case .endOfStream, .failed:
        if let reason = socket.distrust { throw .untrusted(reason) }
        throw .unreachable(socket.failure ?? "the server ends the connection")
      case .wouldBlock:
        let what = socket.needsWritable ? POLLIN | POLLOUT : POLLIN
        guard wait(for: socket, what, until: deadline) else { throw .unreachable("no answer in time") }
      }
    }
  }

  private static func send(
    _ request: inout ByteBuffer, to socket: borrowing ByteStream, until deadline: Int64
  ) throws(Failure) {
    while !request.isEmpty {
      switch socket.send(request.bytes) {
      case .done(let count): request.removeFirst(count)
      case .wouldBlock: guard wait(for: socket, POLLOUT, until: deadline) else { throw .noAnswer("not in time") }
      // It may have answered before it had read all.
      case .endOfStream, .failed: return
      }
    }
  }

  private static func receive(
    from socket: borrowing ByteStream, until deadline: Int64
  ) throws(Failure) -> Answer {
    var buffer = ReceiveBuffer(capacity: 64 * 1_024)
    var received = ByteBuffer()
    var parser = ResponseParser()
    var head: ResponseHead?
    while true {
      guard socket.holdsMore || wait(for: socket, POLLIN, until: deadline) else { throw .noAnswer("not in time") }
      let result = buffer.receive(after: RawSpan(), from: socket)
      if case .failed(let code) = result { throw .noAnswer("\(SystemError(call: "receive", code: code))") }
      buffer.withContent { received.append($0.bytes) }
      guard received.count <= largestAnswer else { throw .noAnswer("the answer is too large") }
      if head == nil {
        do { head = try parser.parse(received.bytes) } catch { throw .noAnswer("it does not speak HTTP as Roost does") }
      }
      if let head {
        let length = head.bodyLength ?? (result == .endOfStream ? received.count - head.byteCount : .max)
        if received.count - head.byteCount >= length {
          return Answer(
            status: head.status, body: received.array(head.byteCount..<head.byteCount + length),
            head: String(decoding: received.array(0..<head.byteCount), as: UTF8.self))
        }
      }
      if result == .endOfStream { throw .noAnswer("it ends the connection") }
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
