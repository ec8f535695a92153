/// Growable bytes with exactly one owner: what writers append to and what waits for a socket.
///
/// Memory is taken on the first append and given back by ``release()``, so an idle owner costs 24 bytes.
/// Bytes leave at the front (``removeFirst(_:)``) without moving the rest until the room is needed again.
@safe
public struct ByteBuffer: ~Copyable {
  private var base: UnsafeMutableRawPointer?
  private var start: UInt32 = 0
  private var end: UInt32 = 0
  private var capacity: UInt32 = 0

  public init() { unsafe base = nil }

  deinit { unsafe base?.deallocate() }

  public var count: Int { Int(end &- start) }
  public var isEmpty: Bool { end == start }

  /// The bytes held now. The span must not outlive the next mutation.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let first = unsafe base.map { unsafe UnsafeRawPointer($0) + Int(start) } ?? Self.nowhere
      return unsafe _overrideLifetime(RawSpan(_unsafeStart: first, byteCount: count), borrowing: self)
    }
  }

  /// The same bytes for in-place changes, such as unmasking.
  public var mutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      let first = unsafe base.map { unsafe $0 + Int(start) } ?? UnsafeMutableRawPointer(mutating: Self.nowhere)
      let span = unsafe MutableRawSpan(_unsafeStart: first, byteCount: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  public mutating func append(_ byte: UInt8) {
    reserve(1)
    unsafe base.unsafelyUnwrapped.storeBytes(of: byte, toByteOffset: Int(end), as: UInt8.self)
    end &+= 1
  }

  public mutating func append(_ bytes: borrowing RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe append($0) }
  }

  private mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let first = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count)
    unsafe (base.unsafelyUnwrapped + Int(end)).copyMemory(from: first, byteCount: bytes.count)
    end &+= UInt32(bytes.count)
  }

  public mutating func append(_ bytes: [UInt8]) { append(unsafe bytes.span.bytes) }

  public mutating func append(_ text: StaticString) {
    let added = text.utf8CodeUnitCount
    reserve(added)
    unsafe (base.unsafelyUnwrapped + Int(end)).copyMemory(from: text.utf8Start, byteCount: added)
    end &+= UInt32(added)
  }

  /// Appends the UTF-8 form of `text`.
  public mutating func append(_ text: String) {
    // Native strings hand out their bytes; `utf8Span` would look for normal form first.
    let isDone: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe append(UnsafeRawBufferPointer($0)) }
    if isDone == nil { for byte in text.utf8 { append(byte) } }
  }

  /// Appends `number` in decimal digits.
  public mutating func append(decimal number: Int) {
    if number < 0 { append(UInt8(ascii: "-")) }
    append(decimal: number.magnitude)
  }

  public mutating func append(decimal number: UInt) {
    var width = 1
    var rest = number / 10
    while rest > 0 {
      width &+= 1
      rest /= 10
    }
    reserve(width)
    var place = Int(end) &+ width
    rest = number
    repeat {
      place &-= 1
      let digit = 48 &+ UInt8(truncatingIfNeeded: rest % 10)
      unsafe base.unsafelyUnwrapped.storeBytes(of: digit, toByteOffset: place, as: UInt8.self)
      rest /= 10
    } while rest > 0
    end &+= UInt32(width)
  }

  /// Lets `write` fill up to `room` bytes behind those held now. It returns how many it wrote, from the first on;
  /// they are kept. Its memory must not be read before it is written.
  public mutating func append(upTo room: Int, _ write: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
    precondition(room > 0)
    reserve(room)
    let count = unsafe write(UnsafeMutableRawBufferPointer(start: base.unsafelyUnwrapped + Int(end), count: room))
    precondition((0...room).contains(count), "wrote more than there was room for")
    end &+= UInt32(count)
    return count
  }

  /// Makes room for `added` more bytes, so that the next appends up to there do not move memory.
  public mutating func reserve(_ added: Int) {
    guard Int(capacity &- end) < added else { return }
    makeRoom(added)
  }

  /// Overwrites the byte at `index`, counted from the front.
  public mutating func replaceByte(at index: Int, with byte: UInt8) {
    precondition(index >= 0 && index < count)
    unsafe base.unsafelyUnwrapped.storeBytes(of: byte, toByteOffset: Int(start) &+ index, as: UInt8.self)
  }

  /// Forgets the first `number` bytes; memory is given back when nothing is left.
  public mutating func removeFirst(_ number: Int) {
    precondition(number >= 0 && number <= count)
    start &+= UInt32(number)
    if start == end { release() }
  }

  /// Keeps only the first `number` bytes.
  public mutating func truncate(to number: Int) {
    precondition(number >= 0 && number <= count)
    end = start &+ UInt32(number)
  }

  /// Forgets the content and keeps the memory: for scratch buffers that live as long as their loop.
  public mutating func removeAll() {
    start = 0
    end = 0
  }

  /// Forgets the content and gives the memory back.
  public mutating func release() {
    unsafe base?.deallocate()
    unsafe base = nil
    (start, end, capacity) = (0, 0, 0)
  }

  /// A copy of the bytes in `range`, counted from the front.
  public func array(_ range: Range<Int>) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    guard !range.isEmpty else { return [] }
    return unsafe Array(
      UnsafeRawBufferPointer(start: base.unsafelyUnwrapped + Int(start) + range.lowerBound, count: range.count))
  }

  public func array() -> [UInt8] { array(0..<count) }

  private mutating func makeRoom(_ added: Int) {
    let held = count
    let needed = held &+ added
    precondition(needed <= Int(UInt32.max) / 2, "a buffer outgrew every limit that should have stopped it")
    let newCapacity = max(64, needed <= Int(capacity) / 2 ? Int(capacity) : needed &* 2)
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
    if held > 0 { unsafe fresh.copyMemory(from: base.unsafelyUnwrapped + Int(start), byteCount: held) }
    unsafe base?.deallocate()
    unsafe base = fresh
    (start, end, capacity) = (0, UInt32(held), UInt32(newCapacity))
  }

  /// An address for empty spans, which must not be null.
  private static var nowhere: UnsafeRawPointer { unsafe UnsafeRawPointer(("" as StaticString).utf8Start) }
}
