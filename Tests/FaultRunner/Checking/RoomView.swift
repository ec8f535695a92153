/// What one client has seen of one room, over all its connections.
struct RoomView {
  /// The highest offset received; `nil` before the first `room_info`.
  var position: Position?
  /// The server's ids of what came, by what it was.
  private(set) var contents: [String: String] = [:]
  private(set) var holes: [(epoch: String, offsets: ClosedRange<Int>)] = []
  /// Messages that came after a later one of their sender.
  private(set) var overtaken: [String] = []
  /// Announcements so far: what came before one and what came after it are different runs.
  private(set) var runs = 0
  private var ids: Set<String> = []
  private var lastOfSender: [Substring: Int] = [:]
  private var log: [String] = []

  enum Step { case inPlace, doubled, misordered }

  /// A message (or the ack that stands for it) came with an offset.
  mutating func take(_ message: Said, id: String, at offset: Int, as kind: String) -> Step {
    note("\(kind) \(offset) \(message.content) \(id)")
    guard let known = position else { return .misordered }
    if offset <= known.offset { return ids.contains(id) ? .doubled : .misordered }
    if offset > known.offset + 1 { holes.append((known.epoch, known.offset + 1...offset - 1)) }
    position?.offset = offset
    guard ids.insert(id).inserted else { return .doubled }
    contents[message.content] = id
    if let last = lastOfSender[message.sender], message.number < last { overtaken.append(message.content) }
    lastOfSender[message.sender] = max(message.number, lastOfSender[message.sender] ?? 0)
    return .inPlace
  }

  /// What was missed was announced; the view goes on from there.
  mutating func move(to place: Position, why: String) {
    note("\(why) \(place)")
    position = place
    runs += 1
  }

  mutating func note(_ line: String) {
    log.append(line)
    if log.count > 2_000 { log.removeFirst(1_000) }
  }

  func has(_ content: String) -> Bool { contents[content] != nil }

  /// The last lines of what happened.
  func tail(_ count: Int = 30) -> [String] { Array(log.suffix(count)) }

  /// The lines around the first one that holds `text`.
  func log(around text: String, _ count: Int = 8) -> [String] {
    guard let index = log.firstIndex(where: { $0.contains(text) }) else { return tail(count) }
    return Array(log[max(0, index - count)..<min(log.count, index + count)])
  }
}
