/// All that a client decides: when to connect and to wait, where it stands in its rooms, what is sent and sent again,
/// what is told and what was told before.
///
/// It has no socket and no clock. Each input is a method that takes the time in milliseconds; what is to be done comes
/// out as ``actions``, what is to be told as ``events``; ``deadline`` says when to call ``tick(_:)`` at the latest.
struct ClientCore {
  enum Action: Equatable {
    /// Begin to connect. ``opened(_:)`` or ``ended(_:_:)`` follows.
    case connect(token: String?)
    /// Ask for a token. ``tokenArrived(_:_:)`` or ``tokenFailed(_:_:)`` follows.
    case fetchToken(TokenReason)
    case send([UInt8])
    case ping
    /// Begin the closing handshake. ``ended(_:_:)`` follows.
    case close
    /// End the connection at once. Nothing follows.
    case drop
    /// Whoever has this ticket gets his answer.
    case answer(ticket: Int, Result<Answer, ClientError>)
  }

  /// The good end of a call.
  enum Answer: Equatable {
    case done
    case receipt(Receipt)
    case direct(DirectReceipt)
    case room(RoomInfo)
    case members(RoomMembers)
    case history(RoomHistory)
  }

  /// How a connection ended, or why it was not made.
  enum Ending: Equatable {
    /// It could not be made, in words.
    case failed(String)
    /// The server's certificate is not one to believe, in words.
    case untrusted(String)
    /// The handshake was answered with this status; 0: by no sensible answer.
    case refused(status: Int, retryAfter: Int64?)
    case closed(code: Int, reason: String)
    /// It ended without a close frame.
    case lost
    /// The server broke the protocol, in words.
    case violation(String)
  }

  enum Phase: Equatable {
    /// Nobody has asked to connect.
    case idle
    /// A token is being fetched.
    case token
    case connecting(until: Int64)
    case open
    case waiting(until: Int64)
    case closing(until: Int64)
    case ended
  }

  let rules: ClientRules
  var phase = Phase.idle
  var actions: [Action] = []
  var events: EventQueue
  var requests: Requests
  var rooms: [String: RoomTrack] = [:]
  var backoff: Backoff
  /// Why it is over; `nil`: somebody wanted it.
  var end: ClientError?

  // the connection
  var connectTickets: [Int] = []
  var closeTickets: [Int] = []
  var failedFirstAttempts = 0
  var hasBeenOpen = false
  /// When to come back, as the node that is about to stop said it.
  var drainDelay: Int64?
  var lastHeard: Int64 = 0
  /// The server was asked whether it is there.
  var isProbing = false

  // the token
  var token: String?
  /// Nobody has connected with it yet.
  var isTokenFresh = false
  var refusedTokens = 0
  var isFetching = false
  var tokenReason = TokenReason.first
  /// When to ask once more for the successor of a token that still holds.
  var fetchAgainAt: Int64?

  private var counter = 0

  init(_ rules: ClientRules, token: String?) {
    (self.rules, self.token) = (rules, token)
    events = EventQueue(limit: rules.waitingEvents)
    requests = Requests(widest: rules.messagesUnderWay)
    backoff = Backoff(base: rules.backoff, longest: rules.longestBackoff, seed: rules.seed)
  }

  /// A fresh id for a message.
  mutating func nextID() -> String {
    counter += 1
    return "\(rules.idPrefix)-\(counter)"
  }

  /// Whether an id is one that this client made.
  func isOwn(_ id: String) -> Bool { id.hasPrefix(rules.idPrefix + "-") }

  mutating func answer(_ ticket: Int?, _ result: Result<Answer, ClientError>) {
    if let ticket { actions.append(.answer(ticket: ticket, result)) }
  }

  mutating func takeActions() -> [Action] {
    defer { actions = [] }
    return actions
  }

  /// When ``tick(_:)`` has something to do without any other input; `nil`: never.
  func deadline(_ now: Int64) -> Int64? {
    switch phase {
    case .idle, .token, .ended: return nil
    case .connecting(let until), .waiting(let until), .closing(let until): return until
    case .open: break
    }
    var deadline = lastHeard + rules.silence * (isProbing ? 2 : 1)
    if let next = requests.deadline(after: now, answerTimeout: rules.answerTimeout) { deadline = min(deadline, next) }
    if let fetchAgainAt { deadline = min(deadline, fetchAgainAt) }
    for track in rooms.values {
      switch track.phase {
      case .asked(_, let moment): deadline = min(deadline, moment + rules.answerTimeout)
      case .out, .behind: if track.notBefore > now { deadline = min(deadline, track.notBefore) }
      case .joined: break
      }
    }
    return deadline
  }
}
