import Buffers
import RoostTesting
import WebSocketCore

/// What a reader saw, with the bytes themselves: equal however the stream was cut.
enum Seen: Equatable {
  case message(Opcode, [UInt8])
  case compressed(Opcode, [UInt8])
  case ping([UInt8])
  case pong([UInt8])
  case close(CloseCode?, [UInt8])
  case violation(ProtocolViolation)
}

/// Feeds a reader as a connection does: what it leaves stays in front of what arrives next.
struct Stream: ~Copyable {
  var reader: MessageReader
  var limits: MessageReader.Limits
  var seen: [Seen] = []
  private var waiting = ByteBuffer()

  init(_ side: MessageReader.Side, _ limits: MessageReader.Limits = .init()) {
    reader = MessageReader(side: side)
    self.limits = limits
  }

  /// Bytes the reader did not take yet.
  var leftoverBytes: Int { waiting.count }
  var gatheredBytes: Int { reader.assembled.count }
  var isAssembling: Bool { reader.isAssembling }
  var hasFailed: Bool { if case .violation = seen.last { true } else { false } }

  mutating func arrive(_ bytes: [UInt8]) {
    guard !hasFailed else { return }
    waiting.append(bytes)
    Self.drain(&waiting, &reader, limits, &seen)
  }

  /// Separate arguments: while a span into the buffer lives, the compiler lets nothing else of `self` change.
  private static func drain(
    _ waiting: inout ByteBuffer, _ reader: inout MessageReader, _ limits: MessageReader.Limits, _ seen: inout [Seen]
  ) {
    var offset = 0
    do throws(ProtocolViolation) {
      var span = waiting.mutableBytes
      while let event = try reader.next(in: &span, at: &offset, limits: limits) {
        seen.append(Self.seen(event, span.bytes, reader))
      }
    } catch {
      seen.append(.violation(error))
    }
    waiting.removeFirst(offset)
  }

  private static func seen(
    _ event: MessageReader.Event, _ bytes: borrowing RawSpan, _ reader: borrowing MessageReader
  ) -> Seen {
    switch event {
    case .message(let opcode, let range): .message(opcode, array(range, bytes))
    case .assembled(let opcode): .message(opcode, reader.assembled.array())
    case .compressed(let opcode, let range): .compressed(opcode, array(range, bytes))
    case .assembledCompressed(let opcode): .compressed(opcode, reader.assembled.array())
    case .ping(let range): .ping(array(range, bytes))
    case .pong(let range): .pong(array(range, bytes))
    case .close(let code, let reason): .close(code, array(reason, bytes))
    }
  }

  private static func array(_ range: Range<Int>, _ bytes: borrowing RawSpan) -> [UInt8] {
    unsafe bytes.extracting(range).withUnsafeBytes { unsafe Array($0) }
  }

  /// Everything seen when `bytes` arrive in the pieces that `cuts` (ascending places) make.
  static func read(
    _ bytes: [UInt8], cuts: [Int] = [], _ side: MessageReader.Side = .server, _ limits: MessageReader.Limits = .init()
  ) -> [Seen] {
    var stream = Stream(side, limits)
    var start = 0
    for cut in cuts + [bytes.count] {
      stream.arrive(Array(bytes[start..<cut]))
      start = cut
    }
    return stream.seen
  }
}

/// One frame, with every bit under the test's control.
struct RawFrame {
  var first: UInt8
  var payload: [UInt8] = []
  /// What the header claims; the payload's own size when nil.
  var claims: UInt64?
  /// 0, 2 or 8 bytes of extended length; the shortest form when nil.
  var lengthBytes: Int?
  var key: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]

  init(
    _ first: UInt8, _ payload: [UInt8] = [], claims: UInt64? = nil, lengthBytes: Int? = nil,
    key: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
  ) {
    (self.first, self.payload, self.claims, self.lengthBytes, self.key) = (first, payload, claims, lengthBytes, key)
  }

  init(_ first: UInt8, _ text: String) { self.init(first, Array(text.utf8)) }

  var bytes: [UInt8] {
    let length = claims ?? UInt64(payload.count)
    let width = lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8)
    let short: UInt8 = width == 0 ? UInt8(length) : width == 2 ? 126 : 127
    var bytes = [first, short | (key == nil ? 0 : 0x80)]
    for index in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(8 * index))) }
    guard let key else { return bytes + payload }
    return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
  }
}

extension ByteBuffer {
  /// What `write` appends to an empty buffer.
  static func written(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
    var buffer = ByteBuffer()
    write(&buffer)
    return buffer.array()
  }
}
