/// One TCP connection between a node and Redis: bytes in order, late, in pieces, and sometimes lost with it.
final class Link {
  enum Phase { case connecting, open, refused, lost, closed }

  /// One direction: what is on its way.
  private struct Pipe {
    var bytes: [UInt8] = []
    var isDue = false
  }

  let number: Int
  /// Whose, for the trace.
  let name: String
  private let network: Network
  private(set) var phase = Phase.connecting
  /// What the node has not read yet.
  var inbox: [UInt8] = []
  /// Bytes vanish in both directions, and nobody is told.
  var isHalfOpen = false
  /// What Redis sends vanishes.
  var isDeaf = false
  private var toRedis = Pipe()
  private var toNode = Pipe()
  /// What Redis keeps for it; `nil` when Redis does not know it (any more).
  var session: RedisSession?
  /// Called when the node's end has something: opened, bytes, or its end.
  private let whenReady: (_ isReadable: Bool) -> Void

  init(number: Int, name: String, network: Network, whenReady: @escaping (Bool) -> Void) {
    (self.number, self.name, self.network, self.whenReady) = (number, name, network, whenReady)
  }

  var isUp: Bool { phase == .open || phase == .connecting }

  // MARK: The node's end

  func opened() {
    guard phase == .connecting else { return }
    phase = .open
    whenReady(false)
  }

  func refused() {
    guard phase == .connecting else { return }
    phase = .refused
    whenReady(false)
  }

  func send(_ bytes: [UInt8]) {
    guard phase == .open, !isHalfOpen else { return }
    toRedis.bytes += bytes
    schedule(\.toRedis)
  }

  /// The node resets the connection. Of what it sent, some, all or nothing still arrives.
  func close() {
    guard phase != .closed else { return }
    let wasOpen = phase == .open
    phase = .closed
    inbox = []
    toNode.bytes = []
    if wasOpen { loseTail() } else if let session { network.redis.forget(session) }
  }

  // MARK: Redis' end

  func push(_ bytes: [UInt8]) {
    guard phase == .open, !isHalfOpen, !isDeaf else { return }
    toNode.bytes += bytes
    schedule(\.toNode)
  }

  /// The connection breaks in the middle: both ends lose what was on its way, from some byte on.
  func cut() {
    guard isUp else { return }
    network.world.trace.note(name, "connection \(number) is cut")
    if phase == .connecting {
      phase = .refused
    } else {
      phase = .lost
      let kept = network.world.dice.roll(0...toNode.bytes.count)
      inbox += toNode.bytes.prefix(isDeaf || isHalfOpen ? 0 : kept)
    }
    toNode.bytes = []
    loseTail()
    network.world.after(Int64(network.world.dice.roll(0...2_000))) { [weak self] in
      if let self, phase != .closed { whenReady(true) }
    }
  }

  /// Bytes already sent may still be executed, up to some byte; then Redis hears of the end.
  private func loseTail() {
    switch network.world.dice.roll(0...2) {
    case 0: toRedis.bytes = []
    case 1: toRedis.bytes.removeLast(network.world.dice.roll(0...toRedis.bytes.count))
    default: break
    }
    if isHalfOpen { toRedis.bytes = [] }
    if toRedis.bytes.isEmpty { endAtRedis() } else { schedule(\.toRedis) }
  }

  private func endAtRedis() {
    if let session { network.redis.forget(session) }
  }

  // MARK: Delivery

  private func schedule(_ pipe: ReferenceWritableKeyPath<Link, Pipe>) {
    guard !self[keyPath: pipe].isDue else { return }
    self[keyPath: pipe].isDue = true
    network.world.after(network.delay()) { [weak self] in self?.deliver(pipe) }
  }

  private func deliver(_ pipe: ReferenceWritableKeyPath<Link, Pipe>) {
    self[keyPath: pipe].isDue = false
    guard !self[keyPath: pipe].bytes.isEmpty else { return }
    let count = network.pieceSize(of: self[keyPath: pipe].bytes.count)
    let piece = Array(self[keyPath: pipe].bytes.prefix(count))
    self[keyPath: pipe].bytes.removeFirst(count)
    if !self[keyPath: pipe].bytes.isEmpty { schedule(pipe) }
    if pipe == \Link.toRedis {
      if let session { network.redis.receive(piece, from: session) }
      if !isUp, toRedis.bytes.isEmpty { endAtRedis() }
    } else {
      inbox += piece
      whenReady(true)
    }
  }
}
