import Buffers
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// The thread of one client: does what ``ClientCore`` decides, and tells it what happens.
actor ClientLoop {
  /// What comes from other threads.
  enum Arrival: Sendable {
    case addresses([Address], dial: Int)
    case token(String)
    case noToken(String)
    case cancel(Int)
    case stop
  }

  nonisolated let loop: EventLoop
  nonisolated let arrivals: Mailbox<Arrival>
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

  var core: ClientCore
  let plan: DialPlan
  let tokenSource: TokenSource?
  var tokenTask: Task<Void, Never>?

  // the connection
  var line: ServerLine?
  /// Addresses to try when the one that is being tried fails.
  var addresses: [Address] = []
  /// Why one of them is not believed: worth more than that the last of them is not there.
  var distrust: ClientCore.Ending?
  var token: String?
  /// Counts attempts, so that what belongs to an earlier one is told apart.
  var dial = 0

  // who waits
  private var nextTicket = 0
  private var answers: [Int: CheckedContinuation<Result<ClientCore.Answer, ClientError>, Never>] = [:]
  private var listeners: [(ticket: Int, continuation: CheckedContinuation<ClientEvent?, Never>)] = []

  private var events = EventBuffer(capacity: 16)
  private var input = ReceiveBuffer(capacity: 64 * 1_024)
  private var inbox: [Arrival] = []
  private var isStopped = false

  init(_ core: ClientCore, _ plan: DialPlan, _ tokenSource: TokenSource?) throws(SystemError) {
    loop = try EventLoop()
    arrivals = Mailbox(wakes: loop)
    (self.core, self.plan, self.tokenSource) = (core, plan, tokenSource)
  }

  nonisolated func start() { onNewThread(name: "roost-client") { self.run() } }

  private nonisolated func run() {
    loop.adopt()
    assumeIsolated { $0.runUntilStopped() }
  }

  private func runUntilStopped() {
    while !isStopped { if turn() { loop.drainJobs() } }
    tokenTask?.cancel()
    line?.reset()
    line = nil
  }

  // MARK: Calls

  /// Lets `begin` ask the core, and waits for the answer.
  func ask(
    _ begin: @Sendable (inout ClientCore, _ ticket: Int, _ now: Int64) -> Void
  ) async -> Result<ClientCore.Answer, ClientError> {
    let ticket = ticket()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        answers[ticket] = continuation
        begin(&core, ticket, monotonicMilliseconds())
      }
    } onCancel: {
      arrivals.post(.cancel(ticket))
    }
  }

  /// Tells the core something that has no answer.
  func tell(_ body: @Sendable (inout ClientCore) -> Void) { body(&core) }

  func position(in room: String) -> Position? { core.rooms[room]?.position }

  /// The next event; `nil` when there will be none, or the task is cancelled.
  func nextEvent() async -> ClientEvent? {
    if listeners.isEmpty, let event = core.takeEvent(monotonicMilliseconds()) { return event }
    let ticket = ticket()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { listeners.append((ticket, $0)) }
    } onCancel: {
      arrivals.post(.cancel(ticket))
    }
  }

  private func ticket() -> Int {
    nextTicket += 1
    return nextTicket
  }

  // MARK: Turns

  /// Does what is decided, waits, and hands on what came. True when somebody woke the loop.
  private func turn() -> Bool {
    perform()
    line?.flush(loop)
    let isWoken = loop.wait(into: &events, timeout: timeout)
    if isWoken { takeArrivals() }
    for index in 0..<events.count { handle(events[index]) }
    core.tick(monotonicMilliseconds())
    return isWoken
  }

  private var timeout: CInt {
    let now = monotonicMilliseconds()
    return core.deadline(now).map { CInt(clamping: max(0, $0 - now)) } ?? -1
  }

  private func takeArrivals() {
    arrivals.take(into: &inbox)
    for arrival in inbox {
      let now = monotonicMilliseconds()
      switch arrival {
      case .addresses(let found, dial): connect(to: found)
      case .addresses: break
      case .token(let token):
        if ClientCore.isToken(token) {
          core.tokenArrived(token, now)
        } else {
          core.tokenFailed("the token is not one line of ASCII", now)
        }
      case .noToken(let reason): core.tokenFailed(reason, now)
      case .cancel(let ticket): cancel(ticket)
      case .stop: isStopped = true
      }
    }
    inbox.removeAll(keepingCapacity: true)
  }

  private func cancel(_ ticket: Int) {
    if let index = listeners.firstIndex(where: { $0.ticket == ticket }) {
      listeners.remove(at: index).continuation.resume(returning: nil)
    } else {
      core.cancel(ticket: ticket)
    }
  }

  private func handle(_ event: EventBuffer.Event) {
    // It may have ended since the kernel wrote the event.
    guard let line, event.token == line.token else { return }
    let now = monotonicMilliseconds()
    for news in line.handle(event, &input) {
      switch news {
      case .opened: core.opened(now)
      case .text(let bytes): core.received(bytes, now)
      case .ended(let ending): lineEnded(ending, now)
      }
    }
    if event.isReadable { core.heard(now) }
  }

  private func perform() {
    repeat {
      for action in core.takeActions() { perform(action) }
      tellListeners()
    } while !core.actions.isEmpty
  }

  private func perform(_ action: ClientCore.Action) {
    switch action {
    case .connect(let token): dial(with: token)
    case .fetchToken(let reason): tokenTask = tokenSource.map { TokenTask.start($0, reason, arrivals) }
    case .send(let text): line?.send(text)
    case .ping: line?.ping()
    case .close: line?.close(.normal)
    case .drop: hangUp()
    case .answer(let ticket, let result): answers.removeValue(forKey: ticket)?.resume(returning: result)
    }
  }

  private func tellListeners() {
    while !listeners.isEmpty {
      guard let event = core.takeEvent(monotonicMilliseconds()) else { break }
      listeners.removeFirst().continuation.resume(returning: event)
    }
    guard core.phase == .ended else { return }
    for listener in listeners { listener.continuation.resume(returning: nil) }
    listeners = []
  }
}
