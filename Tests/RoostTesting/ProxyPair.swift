import EventLoops

/// One connection through a ``FaultProxy``: two sockets and what is on its way between them.
final class ProxyPair {
  /// What goes one way.
  struct Flow {
    private var pieces: [(due: Int64, bytes: ArraySlice<UInt8>)] = []
    /// The source says no more.
    var hasEnded = false
    private var isShut = false

    /// Keeps the order, whatever each piece's delay.
    mutating func append(_ bytes: [UInt8], due: Int64) {
      pieces.append((max(due, pieces.last?.due ?? 0), bytes[...]))
    }

    var isFull: Bool { pieces.count > 1_000 }
    /// All has arrived, the end too.
    var isOver: Bool { isShut }
    /// When something can be sent; `nil` when nothing waits.
    var nextDue: Int64? { pieces.first?.due ?? (hasEnded && !isShut ? 0 : nil) }

    /// Sends what is due; false when the connection broke.
    mutating func flush(into socket: borrowing Socket, byteByByte: Bool, _ now: Int64) -> Bool {
      // So many calls a turn at most, so that other connections get theirs.
      var calls = 0
      while let first = pieces.first, first.due <= now, calls < 256 {
        calls += 1
        let some = byteByByte ? first.bytes.prefix(1) : first.bytes
        switch unsafe socket.send(some.span.bytes) {
        case .wouldBlock: return true
        case .endOfStream, .failed: return false
        case .done(let count):
          pieces[0].bytes = first.bytes.dropFirst(count)
          if pieces[0].bytes.isEmpty { pieces.removeFirst() }
        }
      }
      if hasEnded, pieces.isEmpty, !isShut {
        socket.shutdownSending()
        isShut = true
      }
      return true
    }
  }

  let number: UInt64
  let client: Socket
  let server: Socket
  var isConnected = false
  var isSubscriber = false
  var isStranded = false
  var isToBeTruncated = false
  var treatment: FaultProxy.Treatment
  var toServer = Flow()
  var toClient = Flow()
  var clientInterest: EventLoop.Interest = []
  var serverInterest: EventLoop.Interest = []

  init(number: UInt64, client: consuming Socket, server: consuming Socket, _ treatment: FaultProxy.Treatment) {
    (self.number, self.treatment) = (number, treatment)
    self.client = client
    self.server = server
  }

  /// Whether what that side sends is left in the kernel.
  func holds(fromServer: Bool) -> Bool {
    isStranded || (fromServer ? treatment.holdsToClient : treatment.holdsToServer)
  }

  func interest(ofServer: Bool) -> EventLoop.Interest {
    if isStranded { return [] }
    if ofServer && !isConnected { return .write }
    let (from, to) = ofServer ? (toClient, toServer) : (toServer, toClient)
    var interest: EventLoop.Interest = []
    if !holds(fromServer: ofServer), !from.isFull, !from.hasEnded { interest.insert(.read) }
    // What waits for its time is sent by the clock.
    if !to.isOver, let due = to.nextDue, due <= monotonicMilliseconds() { interest.insert(.write) }
    return interest
  }

  var nextDue: Int64? {
    if isStranded { return nil }
    // A socket that is full, or was full when it was last tried, tells by its interest.
    let waiting = serverInterest.contains(.write) ? nil : toServer.nextDue
    let other = clientInterest.contains(.write) ? nil : toClient.nextDue
    return [waiting, other].compactMap(\.self).min()
  }

  func hasDue(_ now: Int64) -> Bool { nextDue.map { $0 <= now } ?? false }

  func receive(fromServer: Bool, into scratch: inout [UInt8]) -> IOResult {
    var span = scratch.mutableSpan
    var bytes = unsafe span.mutableBytes
    return fromServer ? server.receive(into: &bytes) : client.receive(into: &bytes)
  }

  /// False when the connection broke.
  func flush(_ now: Int64) -> Bool {
    if isConnected, !toServer.flush(into: server, byteByByte: treatment.isByteByByte, now) { return false }
    return toClient.flush(into: client, byteByByte: treatment.isByteByByte, now)
  }

  func look(for word: String, in bytes: [UInt8]) {
    guard !isSubscriber, bytes.count >= word.utf8.count else { return }
    let word = Array(word.utf8)
    isSubscriber = (0...bytes.count - word.count).contains { bytes[$0...].starts(with: word) }
  }
}
