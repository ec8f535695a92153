import EventLoops
import Locks
import Synchronization

/// Addresses of one place. Names are asked for on a thread of their own, because the resolver blocks; the answer is
/// handed over through a box, and the relay's thread is woken to fetch it. Until then the last answer serves.
struct Resolver {
  private final class Box: Sendable { let answer = Mutex<[Address]?>(nil) }

  private let place: RedisURL.Place
  private let wake: @Sendable () -> Void
  private let lookUp: @Sendable (String, UInt16) -> [Address]
  private var known: [Address] = []
  private var freshUntil: Int64 = .min
  private var turn = 0
  private var asked: Box?
  /// The resolver has answered, and nothing is known: there is nowhere to go.
  private(set) var isLost = false

  /// - Parameter lookUp: the addresses of a name; may block.
  init(
    place: RedisURL.Place, wake: @escaping @Sendable () -> Void,
    lookUp: @escaping @Sendable (String, UInt16) -> [Address] = { Address.resolve(host: $0, port: $1) }
  ) {
    (self.place, self.wake, self.lookUp) = (place, wake, lookUp)
    switch place {
    case .host(let host, let port): known = Address(host: host, port: port).map { [$0] } ?? []
    case .unixSocket(let path): known = Address(unixPath: path).map { [$0] } ?? []
    }
    if !known.isEmpty { freshUntil = .max }
  }

  /// The address to try, or `nil` while the resolver has not told any. Both connections get the same one.
  mutating func address(now: Int64) -> Address? {
    if let answer = asked?.answer.locked({ $0 }) {
      asked = nil
      if !answer.isEmpty { known = answer }
      isLost = known.isEmpty
      freshUntil = now + 1_000
    }
    if now > freshUntil { ask() }
    return known.isEmpty ? nil : known[turn % known.count]
  }

  /// Nobody answered there: the next address is tried.
  mutating func skip() { turn &+= 1 }

  private mutating func ask() {
    guard asked == nil, case .host(let host, let port) = place else { return }
    let box = Box()
    asked = box
    onNewThread(name: "resolver") { [wake, lookUp] in
      let addresses = lookUp(host, port)
      box.answer.locked { $0 = addresses }
      wake()
    }
  }
}
