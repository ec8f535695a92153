import Buffers
import RealtimeCore

/// The bytes of a text, for parsers that want a span.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The text that `write` appends.
func written(_ write: (inout ByteBuffer) -> Void) -> String {
  var buffer = ByteBuffer()
  write(&buffer)
  return String(decoding: buffer.array(), as: UTF8.self)
}

/// The text in `range`.
func text(_ range: Range<Int>?, of bytes: [UInt8]) -> String? {
  range.map { String(decoding: bytes[$0], as: UTF8.self) }
}
