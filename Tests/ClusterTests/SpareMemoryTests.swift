import EventLoops
import Glibc
import RoostTesting
import Testing

/// Here because sanitizers, which look at the tests of `EventLoops`, have an allocator of their own.
@Suite struct SpareMemoryTests {
  /// Blocks between those that stay: no heap's end, which the allocator would give back by itself.
  @Test func `what lies between blocks in use is given back`() {
    let (count, size) = (32_768, 8_192)
    var blocks = unsafe [UnsafeMutableRawPointer]()
    for _ in 0..<count {
      let block = unsafe malloc(size)!
      unsafe memset(block, 1, size)
      unsafe blocks.append(block)
    }
    for index in 0..<count where index % 64 != 0 { unsafe free(blocks[index]) }
    let before = residentBytes()
    SpareMemory.giveBack()
    let after = residentBytes()
    // Half of it: others allocate meanwhile.
    #expect(before - after > count * size / 2)
    for index in 0..<count where index % 64 == 0 { unsafe free(blocks[index]) }
  }
}
