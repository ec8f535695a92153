/// What waits for its answer, in the order in which it was asked, and when the next of it may leave.
///
/// Messages leave in order, only so many at a time. When the server says that they come too fast, one at a time leaves
/// until eight in a row went well, so that a long queue does not provoke the server on and on.
struct Requests {
  private(set) var items: [Request] = []
  private(set) var bytes = 0
  /// Messages of ``items`` that are under way.
  private var underWay = 0
  private var window: Int
  private let widest: Int
  private var goodInARow = 0
  /// Until then no message leaves.
  private var pausedUntil: Int64 = 0

  init(widest: Int) {
    self.widest = widest
    window = min(8, widest)
  }

  func contains(_ id: String) -> Bool { index(of: id) != nil }

  mutating func append(_ request: Request) {
    items.append(request)
    bytes += request.text.count
  }

  /// Takes out what `id` names.
  mutating func take(_ id: String) -> Request? {
    guard let index = index(of: id) else { return nil }
    return remove(at: index)
  }

  mutating func takeAll() -> [Request] {
    defer { (items, bytes, underWay) = ([], 0, 0) }
    return items
  }

  /// All that may leave now; it counts as sent. What may not, holds up what follows it in the same room.
  mutating func leave(_ now: Int64, isMember: (String) -> Bool) -> [[UInt8]] {
    var leaving: [[UInt8]] = []
    var held: Set<String> = []
    for index in items.indices where items[index].sentAt == nil {
      let request = items[index]
      let isInOrder = request.kind != .send || request.room.map { !held.contains($0) } ?? true
      let isAllowed = !request.needsMembership || request.room.map(isMember) ?? true
      let hasRoom = !request.isMessage || underWay < window && pausedUntil <= now
      guard isInOrder, isAllowed, hasRoom, request.notBefore <= now else {
        if request.kind == .send, let room = request.room { held.insert(room) }
        continue
      }
      items[index].sentAt = now
      items[index].wasSent = true
      if request.isMessage { underWay += 1 }
      leaving.append(request.text)
    }
    return leaving
  }

  /// When something of it wants a look next.
  func deadline(after now: Int64, answerTimeout: Int64) -> Int64? {
    var deadline: Int64?
    for item in items {
      var next = item.sentAt.map { $0 + answerTimeout } ?? item.notBefore
      if item.sentAt == nil, item.isMessage { next = max(next, pausedUntil) }
      // What could have left but did not waits for something else than time.
      if item.sentAt == nil, next <= now { continue }
      deadline = min(deadline ?? next, next)
    }
    return deadline
  }

  // MARK: What the server said

  /// A message was taken by the server.
  mutating func wentWell() {
    goodInARow += 1
    guard goodInARow >= 8 else { return }
    goodInARow = 0
    window = min(2 * window, widest)
  }

  /// Send it again, with all messages at a slower pace, not before then.
  mutating func slowDown(_ id: String, until: Int64) {
    guard let index = index(of: id) else { return }
    if items[index].isMessage {
      (window, goodInARow) = (1, 0)
      pausedUntil = max(pausedUntil, until)
      // It was refused, so surely nothing came of it.
      items[index].wasSent = false
    }
    putBack(index, until)
  }

  /// Send it again, not before then.
  mutating func repeatLater(_ id: String, until: Int64) {
    if let index = index(of: id) { putBack(index, until) }
  }

  // MARK: What did not work

  /// The connection is gone. What may be sent again waits for the next; the others are taken out.
  mutating func lose() -> [Request] { withdraw { $0.sentAt != nil } }

  /// Answers did not come in time. What may be sent again waits; the others are taken out.
  mutating func overdue(_ now: Int64, answerTimeout: Int64) -> [Request] {
    withdraw { request in request.sentAt.map { $0 + answerTimeout <= now } ?? false }
  }

  /// Nobody waits with `ticket` any more. What was not sent is forgotten. False when nobody did.
  mutating func cancel(ticket: Int) -> Bool {
    guard let index = items.firstIndex(where: { $0.ticket == ticket }) else { return false }
    if items[index].wasSent { items[index].ticket = nil } else { _ = remove(at: index) }
    return true
  }

  private mutating func withdraw(_ isMeant: (Request) -> Bool) -> [Request] {
    var ended: [Request] = []
    for index in items.indices.reversed() where isMeant(items[index]) {
      switch items[index].kind {
      case .send, .members, .history: putBack(index, 0)
      case .direct, .leave, .refresh: ended.append(remove(at: index))
      }
    }
    return ended.reversed()
  }

  private mutating func putBack(_ index: Int, _ until: Int64) {
    if items[index].sentAt != nil, items[index].isMessage { underWay -= 1 }
    items[index].sentAt = nil
    items[index].notBefore = until
  }

  private func index(of id: String) -> Int? { items.firstIndex { $0.id == id } }

  private mutating func remove(at index: Int) -> Request {
    let request = items.remove(at: index)
    bytes -= request.text.count
    if request.sentAt != nil, request.isMessage { underWay -= 1 }
    return request
  }
}
