/// What a ring holds.
protocol RingEntry {
  /// Stands where an entry was until the place is given back, and holds nothing.
  static var blank: Self { get }
  /// The memory it takes, about, in bytes.
  var cost: Int { get }
}

/// The last entries of one run of offsets, next to each other; the oldest go first.
///
/// An array with a head that moves on: parts of it can be handed out without a copy, and are copied only when the
/// ring changes while somebody still holds one.
///
///     storage  │ blank │ 41 │ 42 │ 43 │ 44 │
///                        └ head, firstOffset
struct RoomRing<Entry: RingEntry> {
  private var storage: [Entry] = []
  private var head = 0
  private(set) var firstOffset = 1
  /// The memory of all entries, about, in bytes.
  private(set) var cost = 0

  var count: Int { storage.count - head }
  var isEmpty: Bool { head == storage.count }
  /// One more than the last offset, when there is one.
  var endOffset: Int { firstOffset + count }
  var first: Entry? { isEmpty ? nil : storage[head] }

  /// Adds the next entry. One that is not next begins the ring anew.
  mutating func append(_ entry: Entry, at offset: Int, limit: Int) {
    guard limit > 0 else { return }
    if isEmpty || offset != endOffset {
      removeAll()
      firstOffset = offset
    } else if count >= limit {
      removeFirst()
    }
    cost += entry.cost
    storage.append(entry)
  }

  /// Puts older entries, next to each other from `offset` on, in front; those already here or beyond `limit` are left
  /// out. Does nothing when they do not reach up to `end`, where the ring begins (or would, being empty).
  mutating func prepend(_ older: [Entry], from offset: Int, upTo end: Int, limit: Int) {
    let begin = isEmpty ? end : firstOffset
    guard offset < begin, offset + older.count >= begin else { return }
    let room = max(0, limit - count)
    let added = older[..<(begin - offset)].suffix(room)
    guard !added.isEmpty else { return }
    cost += added.reduce(0) { $0 + $1.cost }
    storage.replaceSubrange(0..<head, with: added)
    (head, firstOffset) = (0, begin - added.count)
  }

  mutating func removeFirst() {
    cost -= storage[head].cost
    storage[head] = .blank
    head += 1
    firstOffset += 1
    if head == storage.count { return removeAll() }
    guard head >= 32, head * 4 >= storage.count else { return }
    storage.removeFirst(head)
    head = 0
  }

  /// Forgets everything and gives the memory back.
  mutating func removeAll() { self = Self() }

  /// The entries from `offset` on, which must be here or right behind the last.
  func entries(from offset: Int) -> ArraySlice<Entry> { entries(from: offset, below: endOffset) }

  func entries(from offset: Int, below end: Int) -> ArraySlice<Entry> {
    precondition(offset >= firstOffset && end <= endOffset && offset <= end)
    return storage[(head + offset - firstOffset)..<(head + end - firstOffset)]
  }
}
