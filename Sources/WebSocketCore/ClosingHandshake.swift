/// Who of the two has said goodbye (RFC 6455, sections 5.5.1 and 7.1). It decides; the connection acts.
///
///              close            peerSentClose
///     open ───────────► closeSent ───────────► closed
///      │ │ peerBrokeRules                         ▲
///      │ └──────────────► outOfStep ──────────────┤ waitedLongEnough
///      └──────────────────────────────────────────┘ peerSentClose
///
/// The owner starts a timer (2 s) with every ``Action/sendClose(_:)`` and reports
/// ``waitedLongEnough()`` when it ends; a transport that ends by itself needs nothing from here.
public struct ClosingHandshake: Equatable, Sendable {
  /// What the connection has to do now.
  public enum Action: Equatable, Sendable {
    /// Send a close frame, nothing after it, and wait for the peer's.
    case sendClose(CloseCode)
    /// Send the peer's own code back (an empty close frame when it gave none), then end the transport.
    case echoThenDisconnect(CloseCode?)
    /// End the transport.
    case disconnect
    case nothing
  }

  private enum State { case open, closeSent, outOfStep, closed }
  private var state = State.open

  public init() {}

  /// Whether messages are still taken and sent. After a close frame in either direction what comes is ignored.
  public var acceptsData: Bool { state == .open }

  /// Whether bytes still go through the ``MessageReader``: until the peer's close frame, but not after it broke
  /// the rules, when no frame boundary can be trusted and bytes are only thrown away.
  public var readsFrames: Bool { state == .open || state == .closeSent }

  /// We want to end. Only the first reason counts.
  public mutating func close(_ code: CloseCode) -> Action {
    guard state == .open else { return .nothing }
    state = .closeSent
    return .sendClose(code)
  }

  /// ``MessageReader/Event/close(_:reason:)`` came.
  public mutating func peerSentClose(_ code: CloseCode?) -> Action {
    switch state {
    case .open:
      state = .closed
      return .echoThenDisconnect(code)
    case .closeSent:
      state = .closed
      return .disconnect
    case .outOfStep, .closed:
      return .nothing
    }
  }

  /// The reader threw. The transport stays until the peer ends it or the time is over, because ending it with
  /// unread bytes would reset the connection and lose the close frame on its way.
  public mutating func peerBrokeRules(_ violation: ProtocolViolation) -> Action {
    switch state {
    case .open:
      state = .outOfStep
      return .sendClose(CloseCode(violation))
    case .closeSent:
      state = .outOfStep
      return .nothing
    case .outOfStep, .closed:
      return .nothing
    }
  }

  /// The peer had its time to answer our close frame.
  public mutating func waitedLongEnough() -> Action {
    switch state {
    case .open, .closed:
      return .nothing
    case .closeSent, .outOfStep:
      state = .closed
      return .disconnect
    }
  }
}
