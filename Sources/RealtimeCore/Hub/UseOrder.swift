/// Small numbers in the order of their last use, each step in constant time: a doubly linked list in one array.
struct UseOrder {
  private struct Link {
    var newer = UseOrder.none
    var older = UseOrder.none
    var isIn = false
  }

  private static var none: UInt32 { .max }
  private var links: ContiguousArray<Link> = []
  private var newestNumber = Self.none
  private var oldestNumber = Self.none

  /// The number that was not used for the longest time.
  var oldest: UInt32? { oldestNumber == Self.none ? nil : oldestNumber }

  /// Puts the number first, whether it was there or not.
  mutating func use(_ number: UInt32) {
    guard newestNumber != number else { return }
    while links.count <= Int(number) { links.append(Link()) }
    remove(number)
    links[Int(number)] = Link(newer: Self.none, older: newestNumber, isIn: true)
    if newestNumber != Self.none { links[Int(newestNumber)].newer = number }
    newestNumber = number
    if oldestNumber == Self.none { oldestNumber = number }
  }

  mutating func remove(_ number: UInt32) {
    guard Int(number) < links.count, links[Int(number)].isIn else { return }
    let link = links[Int(number)]
    if link.newer == Self.none { newestNumber = link.older } else { links[Int(link.newer)].older = link.older }
    if link.older == Self.none { oldestNumber = link.newer } else { links[Int(link.older)].newer = link.newer }
    links[Int(number)] = Link()
  }
}
