/// Decides when to ping a peer and when to give it up. Times are whole seconds of any steady clock.
///
/// Anything heard from the peer proves that it lives. A peer that is silent for the ping period is asked, once; one
/// that is silent for the pong wait is gone.
public struct Heartbeat: Equatable, Sendable {
  /// The two silences, in seconds, shared by all connections.
  public struct Patience: Equatable, Sendable {
    public let pingAfter: Int32
    public let giveUpAfter: Int32

    public init(pingAfter: Int32 = 54, giveUpAfter: Int32 = 60) {
      precondition(0 < pingAfter && pingAfter < giveUpAfter)
      self.pingAfter = pingAfter
      self.giveUpAfter = giveUpAfter
    }
  }

  public enum Action: Equatable, Sendable {
    /// Nothing to do; call `tick` again at this second.
    case wait(until: Int32)
    /// Send a ping and call `tick` again at this second.
    case sendPing(thenWaitUntil: Int32)
    /// The peer is gone: drop the connection.
    case giveUp
  }

  private var heardAt: Int32
  private var askedAt: Int32?

  public init(now: Int32) { heardAt = now }

  /// Bytes came from the peer.
  public mutating func heard(now: Int32) {
    heardAt = now
    askedAt = nil
  }

  public mutating func tick(now: Int32, patience: Patience) -> Action {
    // Counted from the ping, so that a late tick does not take the time to answer from the peer.
    let timeToAnswer = patience.giveUpAfter - patience.pingAfter
    if let askedAt {
      let lost = askedAt + timeToAnswer
      return now >= lost ? .giveUp : .wait(until: lost)
    }
    let due = heardAt + patience.pingAfter
    guard now >= due else { return .wait(until: due) }
    askedAt = now
    return .sendPing(thenWaitUntil: now + timeToAnswer)
  }
}
