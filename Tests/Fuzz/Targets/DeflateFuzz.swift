import Buffers
import Compression
import WebSocketCore

/// A compressed message, through zlib; and any bytes as a message to compress.
///
/// - No more is restored than the limit, and one byte more at most while that is found out.
/// - What is restored under one limit is the same under every other that it fits.
/// - A hostile message leaves nothing behind for the next one.
/// - What we compress is restored as it was, whatever the window and the level.
enum DeflateFuzz {
  static func run(_ bytes: [UInt8]) throws(Finding) {
    var inflater = Inflater()
    let whole = try restored(bytes, limit: 64 << 10, &inflater)
    for limit in [0, 1, 100, 4_096] {
      let part = try restored(bytes, limit: limit, &inflater)
      if let part { try demand(part == whole, "another message under another limit") }
      if let whole, whole.count <= limit { try demand(part != nil, "\(whole.count) bytes do not fit into \(limit)") }
    }
    try roundTrip(bytes, &inflater)
    checkOffer(bytes)
  }

  /// Nil when it is refused.
  private static func restored(_ bytes: [UInt8], limit: Int, _ inflater: inout Inflater) throws(Finding) -> [UInt8]? {
    var output = ByteBuffer()
    var isGood = true
    do { try unsafe inflater.restore(bytes.span.bytes, limit: limit, to: &output) } catch { isGood = false }
    try demand(output.count <= limit + (isGood ? 0 : 1), "\(output.count) bytes restored, \(limit) allowed")
    return isGood ? output.array() : nil
  }

  private static func roundTrip(_ bytes: [UInt8], _ inflater: inout Inflater) throws(Finding) {
    let (window, level) = (9 + UInt8(bytes.count % 7), 1 + bytes.count % 9)
    var deflater = Deflater(windowBits: window, level: level)
    for mayGrow in [true, false] {
      var compressed = ByteBuffer()
      guard unsafe deflater.compress(bytes.span.bytes, mayGrow: mayGrow, to: &compressed) else {
        try demand(!mayGrow || bytes.isEmpty, "not compressed, although it may grow")
        try demand(compressed.count == 0, "something was left of what was not compressed")
        continue
      }
      try demand(mayGrow || compressed.count < bytes.count, "compressed, and not shorter")
      let again = try restored(compressed.array(), limit: bytes.count, &inflater)
      try demand(again == bytes, "restored to something else: window \(window), level \(level)")
    }
  }

  /// `Sec-WebSocket-Extensions` with the bytes in it.
  private static func checkOffer(_ bytes: [UInt8]) {
    var offer = DeflateOffer()
    unsafe offer.add(bytes.span.bytes)
    _ = offer.agreement?.answer
  }
}
