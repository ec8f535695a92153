/// A user's id where users are told apart: by its bytes.
///
/// Swift takes two strings for equal that only look the same (`é` in one scalar or in two). The tokens of two users
/// must not make them one, and Redis goes by bytes as well.
struct UserKey: Hashable, Comparable, Sendable {
  let id: String

  init(_ id: String) { self.id = id }

  static func == (left: Self, right: Self) -> Bool { left.id.utf8.elementsEqual(right.id.utf8) }
  static func < (left: Self, right: Self) -> Bool { left.id.utf8.lexicographicallyPrecedes(right.id.utf8) }

  func hash(into hasher: inout Hasher) {
    unsafe id.utf8Span.span.bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    hasher.combine(id.utf8.count)
  }
}

extension Identity {
  var key: UserKey { UserKey(user) }
}
