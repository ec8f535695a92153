/// Memory of a fixed size that a loop receives into, one connection at a time, and reads in place.
@safe
public struct ReceiveBuffer: ~Copyable {
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  /// Bytes of ``content``.
  public private(set) var count = 0

  /// - Parameter capacity: bytes, 1 or more.
  public init(capacity: Int) {
    precondition(capacity > 0)
    unsafe base = .allocate(byteCount: capacity, alignment: 64)
    self.capacity = capacity
  }

  deinit { unsafe base.deallocate() }

  /// What was received, to be read and changed in place.
  public var content: MutableRawSpan {
    @_lifetime(&self)
    mutating get { span(0..<count) }
  }

  /// The memory after ``content``, to receive into; report it with ``fill(_:)``.
  public var space: MutableRawSpan {
    @_lifetime(&self)
    mutating get { span(count..<capacity) }
  }

  /// The first `limit` bytes of ``space``, or all of it when it is smaller.
  @_lifetime(&self)
  public mutating func space(atMost limit: Int) -> MutableRawSpan {
    span(count..<min(capacity, count + limit))
  }

  /// The first `added` bytes of ``space`` are content now.
  public mutating func fill(_ added: Int) {
    precondition(added >= 0 && added <= capacity - count)
    count += added
  }

  /// Starts anew, with a copy of `kept`, which must not be longer than the capacity.
  public mutating func start(with kept: borrowing RawSpan) {
    precondition(kept.byteCount <= capacity)
    unsafe kept.withUnsafeBytes { bytes in
      if let first = bytes.baseAddress { unsafe base.copyMemory(from: first, byteCount: bytes.count) }
    }
    count = kept.byteCount
  }

  @_lifetime(&self)
  private mutating func span(_ range: Range<Int>) -> MutableRawSpan {
    let span = unsafe MutableRawSpan(_unsafeStart: base + range.lowerBound, byteCount: range.count)
    return unsafe _overrideLifetime(span, mutating: &self)
  }
}
