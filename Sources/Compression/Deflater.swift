public import Buffers
internal import CZlib

/// Compresses messages for readers with one size of window.
///
/// Holds about 170 KB with the largest window, 15 KB with the smallest.
@safe
public struct Deflater: ~Copyable {
  /// zlib keeps a pointer to it, so it stays where it is.
  private let stream: UnsafeMutablePointer<z_stream>

  /// The empty block that ends a flushed message and is not sent (RFC 7692 section 7.2.1).
  private static let tailBytes = 4
  /// A hash table of 8 KiB, which is emptied for every message: enough for what chats say. zlib's usual 64 KiB take
  /// longer to empty than many a message to compress.
  private static let memoryLevel: CInt = 5

  /// - Parameters:
  ///   - windowBits: 9 to 15. The reader needs a window of 2 to the power of this.
  ///   - level: 1 (fast) to 9 (small), zlib's.
  public init(windowBits: UInt8, level: Int) {
    precondition((9...15).contains(windowBits) && (1...9).contains(level))
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let result = unsafe deflateInit2_(
      stream, CInt(level), Z_DEFLATED, -CInt(windowBits), Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      CInt(MemoryLayout<z_stream>.size))
    precondition(result == Z_OK, "zlib has no memory, or is another version than its header")
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Appends the compressed form of `message` to `output`, ready to be a frame's payload. False, and nothing
  /// appended, when it would not be shorter than the message, unless that is allowed.
  public mutating func compress(
    _ message: borrowing RawSpan, mayGrow: Bool = false, to output: inout ByteBuffer
  ) -> Bool {
    let most = mayGrow ? unsafe Int(deflateBound(stream, UInt(message.byteCount))) + 16 : message.byteCount - 1
    guard most > 0 else { return false }
    let start = output.count
    let isWritten = unsafe message.withUnsafeBytes { unsafe compress($0, within: most + Self.tailBytes, to: &output) }
    output.truncate(to: isWritten ? output.count - Self.tailBytes : start)
    return isWritten
  }

  private mutating func compress(
    _ message: UnsafeRawBufferPointer, within most: Int, to output: inout ByteBuffer
  ) -> Bool {
    let stream = unsafe self.stream
    let first = unsafe message.baseAddress?.assumingMemoryBound(to: Bytef.self)
    let written = unsafe output.append(upTo: most) { room in
      unsafe deflateReset(stream)
      unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: first)
      unsafe stream.pointee.avail_in = UInt32(message.count)
      unsafe stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: Bytef.self)
      unsafe stream.pointee.avail_out = UInt32(room.count)
      unsafe deflate(stream, Z_SYNC_FLUSH)
      return unsafe room.count - Int(stream.pointee.avail_out)
    }
    // A flush is complete only when it leaves room (zlib.h, deflate).
    return unsafe stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0 && written > Self.tailBytes
  }
}
