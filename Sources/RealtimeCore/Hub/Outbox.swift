/// One message that waits for the relay, or for its answer.
struct PendingPublication {
  let message: StoredMessage
  let connection: ConnectionID
  let clientID: [UInt8]
  /// When its sender is told that nobody knows what became of it.
  let deadline: Int64
  /// When it was taken from its client, in nanoseconds of the monotonic clock.
  let acceptedAt: Int64
  /// A copy came back before the answer did: stored for certain, nothing to send again.
  var isDone = false
  /// A backend's: who gave it is told by ``HubAction/backend(_:_:)``, and as soon as it is stored.
  var isBackend = false

  /// What the digest is made of: the client's id, or the message's own when the client gave none.
  var digestID: [UInt8] { clientID.isEmpty ? message.envelope.messageID : clientID }
}

/// The messages of one room on their way to the relay. One request at a time, so that none overtakes another:
/// what waits meanwhile goes together in the next.
struct Outbox {
  private(set) var inFlight: [PendingPublication] = []
  private var waiting: [PendingPublication] = []
  private(set) var isAsked = false
  /// How often the messages in flight were sent.
  private(set) var attempts = 0
  /// When the next try may be.
  private(set) var retryAt: Int64 = .min

  var isIdle: Bool { inFlight.isEmpty && waiting.isEmpty }

  /// Whether a message of the connection has no answer yet.
  func owes(_ connection: ConnectionID) -> Bool {
    inFlight.contains { $0.connection == connection && !$0.isDone } || waiting.contains { $0.connection == connection }
  }

  mutating func append(_ pending: PendingPublication) { waiting.append(pending) }

  /// What the next request carries: the messages that failed before, else those that wait. Empty: nothing to send.
  mutating func nextRequest(limit: Int) -> [Publication] {
    if inFlight.isEmpty {
      attempts = 0
      if waiting.count <= limit {
        swap(&inFlight, &waiting)
      } else {
        inFlight = Array(waiting.prefix(limit))
        waiting.removeFirst(limit)
      }
    }
    guard !inFlight.isEmpty else { return [] }
    isAsked = true
    attempts += 1
    return inFlight.map {
      Publication(text: $0.message.envelope.text, userID: $0.message.sender, clientID: $0.digestID)
    }
  }

  /// The request failed: what it carried goes again. Returns the failure's place in its row, lowered where waiting so
  /// long would let the oldest message overstay its time.
  mutating func failed(now: Int64) -> Int {
    isAsked = false
    let rest = min(inFlight.first?.deadline ?? .max, waiting.first?.deadline ?? .max) - now
    var attempt = attempts
    while attempt > 1, RoomRetries.delay(attempt: attempt) > rest { attempt -= 1 }
    return attempt
  }

  mutating func retry(at due: Int64) { retryAt = due }
  mutating func retryNow() { retryAt = .min }

  /// The request was answered: hands out what it carried.
  mutating func answered() -> [PendingPublication] {
    (isAsked, retryAt) = (false, .min)
    var sent: [PendingPublication] = []
    swap(&sent, &inFlight)
    return sent
  }

  /// A copy of a message came back: it is stored, whatever becomes of the request. Answers what that says of which it
  /// was not known.
  mutating func confirm(hash: Int) -> PendingPublication? {
    guard let index = inFlight.firstIndex(where: { $0.message.hash == hash && !$0.isDone }) else { return nil }
    inFlight[index].isDone = true
    return inFlight[index]
  }

  /// Takes out what needs no further try: confirmed, or too late.
  mutating func takeFinished(now: Int64) -> [PendingPublication] {
    func isFinished(_ pending: PendingPublication) -> Bool { pending.isDone || pending.deadline <= now }
    guard inFlight.contains(where: isFinished) || waiting.first.map(isFinished) == true else { return [] }
    let finished = inFlight.filter(isFinished) + waiting.prefix(while: isFinished)
    inFlight.removeAll(where: isFinished)
    waiting.removeFirst(waiting.prefix(while: isFinished).count)
    return finished
  }
}
