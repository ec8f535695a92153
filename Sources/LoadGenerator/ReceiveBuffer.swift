import EventLoops
import Transport

/// The memory that all receiving of a swarm is done into, one client at a time.
@safe
struct ReceiveBuffer: ~Copyable {
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  private(set) var count = 0

  init(capacity: Int = 256 * 1_024) {
    unsafe base = .allocate(byteCount: capacity, alignment: 64)
    self.capacity = capacity
  }

  deinit { unsafe base.deallocate() }

  /// Lets `body` read what was received, in place.
  mutating func withContent<Result>(_ body: (inout MutableRawSpan) -> Result) -> Result {
    var content = unsafe MutableRawSpan(_unsafeStart: base, byteCount: count)
    return body(&content)
  }

  /// Starts with what an earlier receive left over and adds what `socket` has.
  mutating func receive(after kept: borrowing RawSpan, from socket: borrowing ByteStream) -> IOResult {
    precondition(kept.byteCount < capacity)
    unsafe kept.withUnsafeBytes { kept in
      if let from = kept.baseAddress { unsafe base.copyMemory(from: from, byteCount: kept.count) }
    }
    count = kept.byteCount
    var space = unsafe MutableRawSpan(_unsafeStart: base, byteCount: capacity)
    let result = socket.receive(into: &space, from: count)
    if case .done(let added) = result { count += added }
    return result
  }
}
