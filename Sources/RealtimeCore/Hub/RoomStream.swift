// RoomStream
//
// Puts one room's messages in order on one node, whatever way they come:
//
//     publish reply ──┐                       ┌─► next in line: deliver
//     subscriber copy ┼─► arrive(message, at) ┼─► old: drop
//     READ ───────────┘                       └─► ahead, or of another epoch: hold back and ask
//
// A reply habitually outruns the subscriber copies of lower offsets, so a gap waits 30 ms before it costs a READ.
// A READ's answer is judged by the position that was sent with the question, never by the current one: messages
// arrive between the two, and comparing with the wrong one doubled messages in the prototype.
// What cannot be made whole is announced (`resync`), never skipped in silence.

/// One room's run of messages on this node: knows what was delivered, holds back what came early, drops repeats.
public struct RoomStream<Message> {
  public enum Arrival { case deliver(Message), duplicate, held }

  /// Why members must be told that they missed something.
  public enum ResyncReason: Sendable, Equatable { case epochChanged, tooFar, rollback }

  public enum Answer {
    /// The answer held what was missed; take it with ``next()``.
    case nothing
    /// The stream goes on from the new position; what lies between is lost to the members.
    case resync(Position, ResyncReason)
  }

  /// How long a gap may wait for the subscriber before it is asked for, in milliseconds.
  public static var gapPatience: Int64 { 30 }
  /// The shortest time between two questions about one room, in milliseconds.
  public static var questionInterval: Int64 { 50 }
  /// Messages held back at most; more are dropped, because a READ brings them anyway.
  public static var holdLimit: Int { 512 }

  /// The last delivered place; `nil` until a roster or an answer told where the room stands.
  public private(set) var position: Position?
  private var held: [Int: Message] = [:]
  private var heldEpoch = ""
  private var askAt: Int64?
  /// Asked for a reason that a closed gap does not settle.
  private var mustAsk = false
  private var isAsking = false
  /// What was held when the question was sent: if the answer names another epoch, it is of one that is over.
  private var heldEpochAsked = ""
  private var lastAsked = Int64.min / 2
  /// How many questions in a row got no answer.
  public private(set) var failures = 0
  private var recent = RecentDeliveries()
  /// Where it begins was asked before frames were sure to come.
  private var startsInDoubt = false

  public init() {}

  public var heldCount: Int { held.count }

  /// Where a room without any history here begins. Does nothing when the stream has a position.
  public mutating func start(at top: Position, now: Int64) {
    guard position == nil else { return }
    position = top
    if heldEpoch == top.epoch { held = held.filter { $0.key > top.offset } }
    if !held.isEmpty { ask(at: now + Self.gapPatience) }
    if startsInDoubt { doubt(now: now) }
  }

  /// A message came, with its place. What is to be delivered next besides comes from ``next()``.
  public mutating func arrive(_ message: Message, at place: Position, now: Int64) -> Arrival {
    guard let known = position else {
      hold(message, at: place)
      return .held
    }
    guard place.epoch == known.epoch else {
      hold(message, at: place)
      ask(at: now)
      return .held
    }
    if place.offset <= known.offset { return .duplicate }
    guard place.offset == known.offset + 1 else {
      hold(message, at: place)
      ask(at: now + Self.gapPatience)
      return .held
    }
    position?.offset = place.offset
    return .deliver(message)
  }

  /// The next message that had to wait and may go now.
  public mutating func next() -> Message? {
    guard let known = position, heldEpoch == known.epoch, !held.isEmpty else { return nil }
    guard let message = held.removeValue(forKey: known.offset + 1) else { return nil }
    position?.offset += 1
    if held.isEmpty && !mustAsk { askAt = nil }
    return message
  }

  /// Something at `place` exists (a duplicate's answer says so) and must come: ask if it does not.
  public mutating func expect(_ place: Position, now: Int64) {
    guard let known = position else { return }
    guard place.epoch != known.epoch || place.offset > known.offset else { return }
    mustAsk = true
    ask(at: now + Self.gapPatience)
  }

  /// Frames may have been missed: ask as soon as possible. Without a position that is when there is one, because it may
  /// come from an answer that is older than this doubt.
  public mutating func doubt(now: Int64) {
    startsInDoubt = position == nil
    guard position != nil else { return }
    (isAsking, mustAsk) = (false, true)
    failures = 0
    askAt = now
    lastAsked = Int64.min / 2
  }

  /// When the relay should be asked, if at all. Without a position there is nothing to ask: a roster comes first.
  public var questionDue: Int64? {
    guard let askAt, !isAsking, position != nil else { return nil }
    return max(askAt, lastAsked + Self.questionInterval)
  }

  /// The question to send now, or `nil` when none is due. The answer must carry the same position.
  public mutating func takeQuestion(now: Int64) -> Position? {
    guard let due = questionDue, due <= now, let position else { return nil }
    (isAsking, mustAsk, askAt, lastAsked) = (true, false, nil, now)
    heldEpochAsked = heldEpoch
    return position
  }

  /// The question got no answer. One that was given up meanwhile, or of a room whose place this one took, is nothing.
  public mutating func questionFailed(now: Int64) {
    guard isAsking else { return }
    (isAsking, mustAsk) = (false, true)
    failures += 1
    askAt = now + RoomRetries.delay(attempt: failures)
  }

  /// The answer to a question about what lies above `known`; `top` is `nil` when the relay knows nothing of the room.
  public mutating func answer(
    known: Position?, top: Position?, messages: [(offset: Int, message: Message)], isComplete: Bool, now: Int64
  ) -> Answer {
    isAsking = false
    failures = 0
    guard let position, let known, let top else {
      if !held.isEmpty { ask(at: now + Self.questionInterval) }
      return .nothing
    }
    guard top.epoch == position.epoch else {
      // Another run of offsets: begin it at its start and read it from there.
      // What was held of it may fill the start and is no reason not to ask.
      move(to: Position(epoch: top.epoch, offset: 0))
      mustAsk = true
      ask(at: now)
      return .resync(Position(epoch: top.epoch, offset: 0), .epochChanged)
    }
    guard known.epoch == top.epoch else {
      mustAsk = true
      ask(at: now)
      return .nothing
    }
    if top.offset < known.offset {
      move(to: top)
      return .resync(top, .rollback)
    }
    // A long answer is cut by its size: what it holds follows on without a hole, and the rest is asked for.
    let isBeginning = !isComplete && messages.first?.offset == known.offset + 1
    if isBeginning {
      mustAsk = true
      ask(at: now)
    }
    guard isComplete || isBeginning else {
      guard position.offset < top.offset else { return .nothing }
      move(to: top)
      return .resync(top, .tooFar)
    }
    for (offset, message) in messages where offset > position.offset {
      hold(message, at: Position(epoch: top.epoch, offset: offset), isAnswer: true)
    }
    dropStale()
    if held[position.offset + 1] == nil, !held.isEmpty { ask(at: now + Self.questionInterval) }
    return .nothing
  }

  /// Remembers a delivered message. False when all members were shown it already under an earlier epoch: a retry after
  /// that epoch's end, which they must not see twice. Within an epoch it is the relay that stores nothing twice.
  ///
  /// - Parameters:
  ///   - key: what a retry has in common with its first try.
  ///   - entries: how often somebody has entered the room; who came since the first delivery has not seen it.
  public mutating func isFirst(key: Int, entries: Int, now: Int64) -> Bool {
    let delivery = RecentDeliveries.Delivery(key: key, epoch: position?.epoch ?? "", entries: entries, time: now)
    return recent.insert(delivery)
  }

  /// What was held before the question and does not belong above the position of the answer's epoch never will:
  /// kept, it would be asked for again and again.
  private mutating func dropStale() {
    guard let position, !held.isEmpty else { return }
    if heldEpoch == position.epoch {
      held = held.filter { $0.key > position.offset }
    } else if heldEpoch == heldEpochAsked {
      held = [:]
    }
  }

  private mutating func move(to place: Position) {
    position = place
    if heldEpoch == place.epoch {
      held = held.filter { $0.key > place.offset }
    } else {
      held = [:]
    }
    askAt = nil
  }

  /// Keeps one epoch at a time: that of the messages that came last.
  private mutating func hold(_ message: Message, at place: Position, isAnswer: Bool = false) {
    if heldEpoch != place.epoch {
      held.removeAll()
      heldEpoch = place.epoch
    }
    guard isAnswer || held.count < Self.holdLimit else { return }
    held[place.offset] = message
  }

  /// A question that failed keeps its time: what arrives meanwhile is no reason to hurry.
  private mutating func ask(at time: Int64) {
    if failures > 0, askAt != nil { return }
    askAt = min(askAt ?? time, time)
  }
}
