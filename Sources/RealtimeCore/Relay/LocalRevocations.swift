/// A memory relay's revocations, in the order in which it learnt them.
struct LocalRevocations {
  private var entries: [[UInt8]: (revocation: Revocation, number: Int)] = [:]
  /// Each learning; one is outdated when its entry has a higher number, or is gone.
  private var log: [(number: Int, key: [UInt8])] = []
  private(set) var top = 0
  /// None ends before.
  private var firstEnd = Int64.max

  /// False when there is no room for it.
  mutating func store(_ revocation: Revocation) -> Bool {
    var merged = entries[revocation.key]?.revocation ?? revocation
    if entries[revocation.key] == nil {
      guard entries.count < RelayLimits.revocations else { return false }
    } else {
      guard merged.merge(revocation) else { return true }
    }
    top += 1
    entries[revocation.key] = (merged, top)
    firstEnd = min(firstEnd, merged.until)
    log.append((top, revocation.key))
    if log.count > 2 * entries.count + 64 { compact() }
    return true
  }

  /// At most ``RelayLimits/revocationsPerSlice`` of those learnt after `position`.
  mutating func slice(after position: Int, horizon: Int64) -> RevocationSlice {
    forget(endedBefore: horizon)
    var slice = RevocationSlice(entries: [], position: top, top: top, isLast: true, horizon: horizon)
    for (number, key) in log[firstIndex(after: position)...] {
      guard let entry = entries[key], entry.number == number else { continue }
      if slice.entries.count == RelayLimits.revocationsPerSlice {
        slice.isLast = false
        break
      }
      slice.entries.append(entry.revocation)
      slice.position = number
    }
    if slice.isLast { slice.position = top }
    return slice
  }

  mutating func forget(endedBefore horizon: Int64) {
    guard firstEnd < horizon else { return }
    entries = entries.filter { $0.value.revocation.until >= horizon }
    firstEnd = entries.values.map(\.revocation.until).min() ?? .max
    compact()
  }

  private mutating func compact() { log.removeAll { entries[$0.key]?.number != $0.number } }

  /// By halves: the log is in order.
  private func firstIndex(after position: Int) -> Int {
    var (low, high) = (0, log.count)
    while low < high {
      let middle = (low + high) / 2
      if log[middle].number > position { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
