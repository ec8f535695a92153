import EventLoops

/// The memory that all of a shard's receiving is done into, one connection at a time.
@safe
struct ReceiveBuffer: ~Copyable {
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  private(set) var count = 0

  init(capacity: Int) {
    unsafe base = .allocate(byteCount: capacity, alignment: 64)
    self.capacity = capacity
  }

  deinit { unsafe base.deallocate() }

  /// What was received, to be read and unmasked in place.
  var content: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      let span = unsafe MutableRawSpan(_unsafeStart: base, byteCount: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// Starts anew with `kept`, what an earlier receive left over.
  mutating func start(with kept: borrowing RawSpan) {
    precondition(kept.byteCount < capacity)
    unsafe kept.withUnsafeBytes { unsafe base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    count = kept.byteCount
  }

  mutating func removeAll() { count = 0 }

  /// Adds what `socket` has, as far as there is room.
  mutating func receive(from socket: borrowing Socket) -> IOResult {
    var space = unsafe MutableRawSpan(_unsafeStart: base, byteCount: capacity)
    let result = socket.receive(into: &space, from: count)
    if case .done(let added) = result { count += added }
    return result
  }
}
