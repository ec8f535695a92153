import CZlib

/// zlib, apart from the code under test: what other clients compress with, and readers with small windows.
public enum RawDeflate {
  /// How a compressor ends what it was given.
  public enum Flush: Sendable {
    /// With an empty block, whose last four bytes are left out: what RFC 7692 wants in a message.
    case message
    /// With an empty block.
    case sync
    /// With an empty block, and nothing after it refers to what was before it.
    case full
    /// With a final block.
    case finish
  }

  public static func compress(
    _ bytes: [UInt8], windowBits: Int = 15, level: Int = 6, flush: Flush = .message
  ) -> [UInt8] {
    var stream = unsafe z_stream()
    let made = unsafe deflateInit2_(
      &stream, CInt(level), Z_DEFLATED, -CInt(windowBits), 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      CInt(MemoryLayout<z_stream>.size))
    precondition(made == Z_OK)
    defer { unsafe deflateEnd(&stream) }
    var (input, output) = (bytes, [UInt8](repeating: 0, count: bytes.count + bytes.count / 8 + 1_024))
    let mode = flush == .finish ? Z_FINISH : flush == .full ? Z_FULL_FLUSH : Z_SYNC_FLUSH
    unsafe input.withUnsafeMutableBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
        unsafe (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
        let result = unsafe deflate(&stream, mode)
        unsafe precondition(result >= Z_OK && stream.avail_out > 0)
      }
    }
    let count = unsafe output.count - Int(stream.avail_out)
    return Array(output.prefix(flush == .message ? count - 4 : count))
  }

  /// What a message's payload holds for a reader that keeps exactly a window and no byte more; nil when it cannot be
  /// read with that window, or at all.
  public static func restore(_ payload: [UInt8], windowBits: Int = 15) -> [UInt8]? {
    var stream = unsafe z_stream()
    let made = unsafe inflateInit2_(&stream, -CInt(windowBits), ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
    precondition(made == Z_OK)
    defer { unsafe inflateEnd(&stream) }
    var input = payload + [0x00, 0x00, 0xFF, 0xFF]
    var restored: [UInt8] = []
    let isWhole = unsafe input.withUnsafeMutableBufferPointer { input in
      unsafe (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
      var byte: UInt8 = 0
      while true {
        // Byte by byte, because zlib looks back into all that it wrote in one call.
        unsafe (stream.next_out, stream.avail_out) = (nil, 1)
        let result = unsafe withUnsafeMutablePointer(to: &byte) { pointer in
          unsafe stream.next_out = pointer
          return unsafe inflate(&stream, Z_SYNC_FLUSH)
        }
        if unsafe stream.avail_out == 0 { restored.append(byte) }
        guard result == Z_OK || result == Z_BUF_ERROR else { return false }
        if unsafe stream.avail_out == 1 { return unsafe stream.avail_in == 0 }
      }
    }
    return isWhole ? restored : nil
  }

  /// About a kilobyte for every mebibyte of zeros that it holds.
  public static func bomb(mebibytes: Int) -> [UInt8] {
    let mebibyte = compress([UInt8](repeating: 0, count: 1 << 20), level: 9, flush: .full)
    return (0..<mebibytes).flatMap { _ in mebibyte } + [0]
  }
}
