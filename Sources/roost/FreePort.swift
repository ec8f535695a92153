import EventLoops

/// Ports of 127.0.0.1 that nobody listens on. Somebody may still take one before it is used.
enum FreePort {
  /// Any.
  static func any() -> UInt16? { port(of: 0) }

  /// The first `count` from `start` on.
  static func following(_ start: UInt16, count: Int) -> [UInt16] {
    Array((start...UInt16.max).lazy.filter(isFree).prefix(count))
  }

  static func isFree(_ port: UInt16) -> Bool { self.port(of: port) != nil }

  /// What is bound when `port` is asked for; `nil` when it is taken.
  private static func port(of port: UInt16) -> UInt16? {
    guard let address = Address(host: "127.0.0.1", port: port),
      let listener = try? Listener(address, backlog: 1, sharesPort: false)
    else { return nil }
    return listener.port
  }
}
