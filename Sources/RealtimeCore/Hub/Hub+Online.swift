// How many are online: the cluster's numbers while the relay answers, else this node's own.

extension Hub {
  mutating func askOnline(_ connection: ConnectionID, now: Now) {
    guard relayState == .connected else { return answerOnline(connection, localOnline(now)) }
    if let (numbers, age) = online.fresh(now: now.monotonic) {
      return answerOnline(connection, clusterOnline(numbers, age: age))
    }
    online.askers.append(connection)
    guard !online.isAsking else { return }
    online.isAsking = true
    ask(.online, .online)
  }

  mutating func onlineArrived(_ reply: RelayReply, now: Now) {
    var answer = localOnline(now)
    if case .online(let connections, let users, let nodes) = reply {
      let numbers = OnlineNumbers(connections: connections, users: users, nodes: nodes)
      online.remember(numbers, now: now.monotonic)
      answer = clusterOnline(numbers, age: 0)
    }
    online.isAsking = false
    let askers = online.askers
    online.askers.removeAll()
    for asker in askers { answerOnline(asker, answer) }
  }

  private func clusterOnline(_ numbers: OnlineNumbers, age: Int64) -> OnlineAnswer {
    OnlineAnswer(numbers, isClusterWide: true, ageMilliseconds: age, relay: relayState, trouble: standing.trouble)
  }

  private func localOnline(_ now: Now) -> OnlineAnswer {
    let own = OnlineNumbers(connections: connections.count, users: userNumbers.count, nodes: 1)
    var answer = OnlineAnswer(own, isClusterWide: false, relay: relayState, trouble: standing.trouble)
    answer.lastKnown = online.latest(now: now.monotonic)
    return answer
  }

  private mutating func answerOnline(_ connection: ConnectionID, _ answer: OnlineAnswer) {
    output.actions.append(.online(connection, answer))
  }
}

/// The last answer, good for half a second, so that a hot health check costs Redis nothing; and remembered for those
/// who ask while the relay is away.
struct OnlineCache {
  private static var lifetime: Int64 { 500 }
  private var numbers: OnlineNumbers?
  private var learnt: Int64 = 0
  var askers: [ConnectionID] = []
  var isAsking = false

  func fresh(now: Int64) -> (OnlineNumbers, age: Int64)? {
    latest(now: now).flatMap { $0.ageMilliseconds < Self.lifetime ? ($0.numbers, $0.ageMilliseconds) : nil }
  }

  func latest(now: Int64) -> OnlineAnswer.Known? {
    numbers.map { OnlineAnswer.Known(numbers: $0, ageMilliseconds: now - learnt) }
  }

  mutating func remember(_ numbers: OnlineNumbers, now: Int64) { (self.numbers, learnt) = (numbers, now) }
}
