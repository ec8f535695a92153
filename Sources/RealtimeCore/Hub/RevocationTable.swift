/// The revocations that one node knows of.
struct RevocationTable {
  /// As many as a relay keeps, and as many again that it may have lost and this node still knows.
  static let limit = 2 * RelayLimits.revocations

  private var entries: [[UInt8]: Revocation] = [:]

  var count: Int { entries.count }
  var isFull: Bool { entries.count >= Self.limit }
  var keys: some Sequence<[UInt8]> { entries.keys }

  subscript(key: [UInt8]) -> Revocation? { entries[key] }

  /// False when it says nothing that was not known, or when there is no room for it.
  mutating func learn(_ revocation: Revocation) -> Bool {
    guard entries[revocation.key] != nil else {
      guard !isFull else { return false }
      entries[revocation.key] = revocation
      return true
    }
    return entries[revocation.key]!.merge(revocation)
  }

  /// Whether a token of `user` is revoked.
  func covers(_ user: String, _ token: TokenStamp) -> Bool {
    guard !entries.isEmpty else { return false }
    if !token.id.isEmpty, entries[[UInt8(ascii: "t")] + token.id] != nil { return true }
    guard let ofUser = entries[[UInt8(ascii: "u")] + Array(user.utf8)] else { return false }
    return token.issuedAt <= ofUser.issuedUntil
  }

  /// Forgets what ended before `horizon`, in seconds since 1970.
  mutating func forget(endedBefore horizon: Int64) {
    guard entries.values.contains(where: { $0.until < horizon }) else { return }
    entries = entries.filter { $0.value.until >= horizon }
  }
}
