import Buffers
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

extension ClientLoop {
  /// Begins an attempt. Names are looked up on a thread of their own, because that blocks.
  func dial(with token: String?) {
    hangUp()
    self.token = token
    let (host, port) = (plan.url.host, plan.url.port)
    if let address = Address(host: host, port: port) { return connect(to: [address]) }
    onNewThread(name: "resolver") { [dial, arrivals] in
      arrivals.post(.addresses(Address.resolve(host: host, port: port), dial: dial))
    }
  }

  /// Forgets the attempt or the connection there is.
  func hangUp() {
    dial += 1
    addresses = []
    line?.reset()
    line = nil
  }

  func connect(to found: [Address]) {
    (addresses, distrust) = (found, nil)
    guard !found.isEmpty else {
      return core.ended(.failed("\(plan.url.host) has no address"), monotonicMilliseconds())
    }
    connectNext("")
  }

  /// The connection is over; before it was one, the next address is tried.
  func lineEnded(_ ending: ClientCore.Ending, _ now: Int64) {
    line = nil
    switch ending {
    case .failed(let reason): return connectNext(reason)
    case .untrusted(let reason):
      distrust = ending
      return connectNext(reason)
    case .refused, .closed, .lost, .violation: core.ended(ending, now)
    }
  }

  /// - Parameter reason: why the address before was none.
  private func connectNext(_ reason: String) {
    var reason = reason
    while !addresses.isEmpty {
      do {
        return try connect(to: addresses.removeFirst())
      } catch {
        reason = "\(error)"
      }
    }
    core.ended(distrust ?? .failed(reason), monotonicMilliseconds())
  }

  private func connect(to address: Address) throws(SystemError) {
    dial += 1
    let socket = try Socket.connect(to: address)
    let stream: ByteStream
    if let tls = plan.tls {
      guard let secure = tls.connect(socket, to: plan.url.host) else { throw SystemError(call: "TLS", code: 22) }
      stream = secure
    } else {
      stream = ByteStream(socket)
    }
    var request = ByteBuffer()
    let handshake = writeRequest(&request)
    let line = ServerLine(
      stream, token: UInt64(dial), handshake, request: request, messageBytes: plan.messageBytes)
    try loop.add(line.descriptor, token: line.token, interest: [.read, .write])
    self.line = line
  }

  private func writeRequest(_ buffer: inout ByteBuffer) -> ClientHandshake {
    let key = HandshakeKey(random: .random(in: .min ... .max), .random(in: .min ... .max))
    let handshake = ClientHandshake(key: key)
    let authorization = token.map { [(name: "Authorization", value: "Bearer \($0)")] } ?? []
    handshake.appendRequest(
      host: plan.url.authority, target: plan.url.target, headers: authorization + plan.headers, to: &buffer)
    return handshake
  }
}
