import EventLoops
import RealtimeCore

extension Now {
  /// What the machine's clocks say.
  static func read() -> Now { Now(nanoseconds: monotonicNanoseconds(), wall: wallClockMilliseconds()) }
}
