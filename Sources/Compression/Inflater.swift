public import Buffers
internal import CZlib

/// Restores messages, whatever window they were compressed with.
///
/// It writes until the limit and not a byte further, so a message of a thousand times its size on the wire costs what
/// one of the limit's size costs. That is why there is no limit to the ratio: it would only refuse honest messages,
/// such as a kilobyte of blanks. Holds about 40 KB.
@safe
public struct Inflater: ~Copyable {
  public enum Failure: Error, Equatable, Sendable {
    /// The message is larger than the limit.
    case tooBig
    /// Not deflate's format, cut off, or more than a message.
    case invalid
    /// Far more blocks than what they hold needs. Each may bring code tables of its own, which take a hundred times
    /// longer to build than a plain message of the same size takes to read.
    case tooManyBlocks
  }

  private let stream: UnsafeMutablePointer<z_stream>
  /// The end of a flushed message, which is not sent (RFC 7692 section 7.2.2).
  private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
  /// Bytes restored at once, so that no memory is taken for what may not come.
  private static let pieceBytes = 64 * 1_024
  /// Blocks that any message may have, and the bytes for which it may have one more. Compressors make one block of
  /// thousands of bytes, and two when they are flushed.
  private static let (freeBlocks, bytesPerBlock) = (16, 64)

  public init() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let result = unsafe inflateInit2_(stream, -MAX_WBITS, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
    precondition(result == Z_OK, "zlib has no memory, or is another version than its header")
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Appends to `output` what `payload`, the joined payloads of a message's frames, holds: `limit` bytes at most, and
  /// never more than one byte beyond while it finds out.
  ///
  /// The message may consist of any number of blocks, final ones among them (RFC 7692 sections 7.2.3.4 and 7.2.3.5).
  /// It may end with a final block, without the flush that the RFC asks for, and no bytes at all are the empty
  /// message: compressors that do so are about, and nothing else could be meant.
  public mutating func restore(
    _ payload: borrowing RawSpan, limit: Int, to output: inout ByteBuffer
  ) throws(Failure) {
    precondition(limit >= 0)
    guard payload.byteCount > 0 else { return }
    unsafe inflateReset(stream)
    let end = output.count + limit
    var blocks = Self.freeBlocks - output.count / Self.bytesPerBlock
    var isFinished = try take(payload, end: end, blocks: &blocks, to: &output)
    if !isFinished { isFinished = try unsafe take(Self.tail.span.bytes, end: end, blocks: &blocks, to: &output) }
    // The tail is an empty block: whoever is within a block behind it was cut off.
    let isBetweenBlocks = unsafe stream.pointee.data_type & 0x80 != 0
    guard isFinished || isBetweenBlocks else { throw .invalid }
  }

  /// Restores all that `input` holds. True when it ends with a final block.
  ///
  /// - Parameter blocks: how many more may end, those that the bytes in `output` are worth left out.
  private mutating func take(
    _ input: borrowing RawSpan, end: Int, blocks: inout Int, to output: inout ByteBuffer
  ) throws(Failure) -> Bool {
    var taken = 0
    while true {
      let room = min(Self.pieceBytes, end + 1 - output.count)
      let (result, wasFilled) = step(input, from: &taken, room: room, to: &output)
      guard output.count <= end else { throw .tooBig }
      // What zlib.h says of data_type: 0x80 is the end of a block, 0x40 says that it was a final one.
      let place = unsafe stream.pointee.data_type
      if place & 0x80 != 0 { blocks -= 1 }
      guard blocks + output.count / Self.bytesPerBlock >= 0 else { throw .tooManyBlocks }
      switch result {
      case Z_STREAM_END:
        if taken == input.byteCount { return true }
        // Blocks after a final one begin anew.
        unsafe inflateReset(stream)
      case Z_OK, Z_BUF_ERROR:
        if taken == input.byteCount && !wasFilled { return place & 0xC0 == 0xC0 }
      default: throw .invalid
      }
    }
  }

  /// One call of zlib, with what is left of `input` and `room` bytes to fill.
  private mutating func step(
    _ input: borrowing RawSpan, from taken: inout Int, room: Int, to output: inout ByteBuffer
  ) -> (result: CInt, wasFilled: Bool) {
    let stream = unsafe self.stream
    var result = Z_OK
    let rest = taken
    taken = unsafe input.withUnsafeBytes { bytes in
      let first = unsafe bytes.baseAddress?.assumingMemoryBound(to: Bytef.self)
      unsafe stream.pointee.next_in = first.map { unsafe UnsafeMutablePointer(mutating: $0 + rest) }
      unsafe stream.pointee.avail_in = UInt32(bytes.count - rest)
      _ = unsafe output.append(upTo: room) { space in
        unsafe stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: Bytef.self)
        unsafe stream.pointee.avail_out = UInt32(space.count)
        // Stops behind each block, too.
        result = unsafe inflate(stream, Z_BLOCK)
        return unsafe space.count - Int(stream.pointee.avail_out)
      }
      return unsafe bytes.count - Int(stream.pointee.avail_in)
    }
    return (result, unsafe stream.pointee.avail_out == 0)
  }
}
