/// A user id as that by which users are told apart: its bytes.
///
/// Swift takes two texts for equal that look the same, such as an é and an e with an accent behind it. As user ids they
/// are two users, to whoever made the tokens and to Redis, and one of them must not become the other here.
struct UserKey: Hashable, Comparable, Sendable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (one: UserKey, other: UserKey) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

  static func < (one: UserKey, other: UserKey) -> Bool { one.text.utf8.lexicographicallyPrecedes(other.text.utf8) }

  func hash(into hasher: inout Hasher) {
    unsafe text.utf8Span.span.bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    hasher.combine(text.utf8.count)
  }
}

extension Identity {
  var key: UserKey { UserKey(user) }
}
