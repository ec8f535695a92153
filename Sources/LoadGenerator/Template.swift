import Buffers

/// A message that is written once and then only marked anew.
struct Template {
  private var bytes: [UInt8]
  private let marker: Int
  /// Where the eight digits of the client's own id are; `nil` when there are none.
  private let id: Int?

  /// A `send_message` for `room` whose content is `payloadBytes` long.
  init(room: String, payloadBytes: Int) {
    let beginning = #"{"type":"send_message","room":"\#(room)","id":""#
    bytes = Array((beginning + #"00000000","payload":{"content":""#).utf8)
    id = beginning.utf8.count
    marker = bytes.count
    bytes += Self.content(payloadBytes) + Array(#""}}"#.utf8)
  }

  /// Nothing but content, as an echo server takes it.
  init(payloadBytes: Int) {
    (bytes, marker, id) = (Self.content(payloadBytes), 0, nil)
  }

  mutating func send(_ mark: Marker, from client: UInt32, _ wire: inout Wire) {
    mark.write(over: &bytes, at: marker)
    if let id {
      var rest = mark.sequence
      for place in (id..<id + 8).reversed() {
        bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
    }
    unsafe wire.send(bytes.span.bytes, from: client)
  }

  private static func content(_ count: Int) -> [UInt8] {
    Array(repeating: UInt8(ascii: "x"), count: max(count, Marker.byteCount))
  }
}
