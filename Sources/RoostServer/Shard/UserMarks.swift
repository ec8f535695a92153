import RealtimeCore

/// Which users of a batch get something else than everybody, and for which of its items.
///
/// Asking about a member costs one comparison, whatever the batch holds: marks of earlier batches are told by their
/// stamp, so nothing is ever cleared.
struct UserMarks: ~Copyable {
  private struct Mark {
    var stamp: UInt32
    var first: Int32
    var last: Int32
  }

  static let end: Int32 = -1
  private var marks: ContiguousArray<Mark> = []
  private var stamp: UInt32 = 0
  /// For each item the next one of the same user.
  private var next: ContiguousArray<Int32> = []

  init() {}

  /// Forgets all marks.
  mutating func begin() {
    stamp &+= 1
    next.removeAll(keepingCapacity: true)
  }

  /// Adds the batch's next item, which is something else for `user`.
  mutating func add(_ user: UserNumber?) {
    let item = Int32(next.count)
    next.append(Self.end)
    guard let user else { return }
    while marks.count <= Int(user) { marks.append(Mark(stamp: 0, first: Self.end, last: Self.end)) }
    if marks[Int(user)].stamp == stamp {
      next[Int(marks[Int(user)].last)] = item
      marks[Int(user)].last = item
    } else {
      marks[Int(user)] = Mark(stamp: stamp, first: item, last: item)
    }
  }

  /// The user's first item, or ``end``.
  @inline(__always)
  func first(of user: UserNumber) -> Int32 {
    guard Int(user) < marks.count, marks[Int(user)].stamp == stamp else { return Self.end }
    return marks[Int(user)].first
  }

  func item(after item: Int32) -> Int32 { next[Int(item)] }
}
