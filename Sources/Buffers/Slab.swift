/// Stable places for noncopyable elements, named by slot and generation instead of by reference.
///
/// Grows by chunks, so elements never move and memory never doubles. A slot that was freed is used again with the
/// next generation: a key kept too long finds nothing instead of a stranger.
@safe
public struct Slab<Element: ~Copyable>: ~Copyable {
  /// Names one element for as long as it lives.
  public struct Key: Hashable, Sendable {
    public let slot: UInt32
    /// 1...0xFF_FFFF (24 bits), so that a key fits into an event's token beside other things.
    public let generation: UInt32

    public init(slot: UInt32, generation: UInt32) { (self.slot, self.generation) = (slot, generation) }
  }

  private static var chunkShift: Int { 7 }
  private static var chunkSize: Int { 1 << chunkShift }

  private var chunks: ContiguousArray<UnsafeMutablePointer<Element>>
  /// Odd: in use. Generations count by two and wrap within 24 bits.
  private var generations: ContiguousArray<UInt32> = []
  private var free: ContiguousArray<UInt32> = []
  public private(set) var count = 0

  public init() { unsafe chunks = [] }

  deinit {
    for slot in 0..<generations.count where generations[slot] & 1 == 1 {
      unsafe address(UInt32(slot)).deinitialize(count: 1)
    }
    unsafe chunks.forEach { unsafe $0.deallocate() }
  }

  public mutating func insert(_ element: consuming Element) -> Key {
    let slot: UInt32
    if let freed = free.popLast() {
      slot = freed
    } else {
      slot = UInt32(generations.count)
      generations.append(0)
      if unsafe Int(slot) >> Self.chunkShift == chunks.count {
        unsafe chunks.append(.allocate(capacity: Self.chunkSize))
      }
    }
    unsafe address(slot).initialize(to: element)
    generations[Int(slot)] = (generations[Int(slot)] &+ 1) & 0xFF_FFFF
    count += 1
    return Key(slot: slot, generation: generations[Int(slot)])
  }

  /// Takes the element out and frees its slot, which must be in use.
  public mutating func remove(_ slot: UInt32) -> Element {
    precondition(isInUse(slot), "a slot was freed twice")
    generations[Int(slot)] = (generations[Int(slot)] &+ 1) & 0xFF_FFFF
    free.append(slot)
    count -= 1
    return unsafe address(slot).move()
  }

  public func contains(_ key: Key) -> Bool {
    Int(key.slot) < generations.count && generations[Int(key.slot)] == key.generation && key.generation & 1 == 1
  }

  public func isInUse(_ slot: UInt32) -> Bool {
    Int(slot) < generations.count && generations[Int(slot)] & 1 == 1
  }

  public func key(of slot: UInt32) -> Key { Key(slot: slot, generation: generations[Int(slot)]) }

  /// One more than the highest slot ever used: for walking over all elements with ``isInUse(_:)``.
  public var slotCount: Int { generations.count }

  public subscript(slot: UInt32) -> Element {
    @inline(__always)
    unsafeAddress {
      precondition(isInUse(slot))
      return unsafe UnsafePointer(address(slot))
    }
    @inline(__always)
    unsafeMutableAddress {
      precondition(isInUse(slot))
      return unsafe address(slot)
    }
  }

  @inline(__always)
  private func address(_ slot: UInt32) -> UnsafeMutablePointer<Element> {
    unsafe chunks[Int(slot) >> Self.chunkShift] + (Int(slot) & (Self.chunkSize - 1))
  }
}
