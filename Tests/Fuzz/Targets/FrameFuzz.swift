import Buffers
import WebSocketCore

/// Bytes of a WebSocket, as both sides read them.
///
/// - Events are the same however the network cut the bytes, and so is the violation at the end.
/// - No more is held than the limits allow: a message's bytes, and half a header or control frame.
/// - What came out, written again by us, is read again as the same.
enum FrameFuzz {
  static func run(_ bytes: [UInt8]) throws(Finding) {
    try check(bytes, .server, MessageReader.Limits(messageBytes: 600, fragments: 6, emptyFragments: 2))
    try check(bytes, .client, MessageReader.Limits(messageBytes: 4_096))
    try check(bytes, .server, MessageReader.Limits(messageBytes: 600, fragments: 6).takingCompressed())
  }

  private static func check(
    _ bytes: [UInt8], _ side: MessageReader.Side, _ limits: MessageReader.Limits
  ) throws(Finding) {
    var whole = FrameEar(side, limits)
    try whole.hear(bytes[...])
    for ends in Pieces.ways(bytes) {
      var ear = FrameEar(side, limits)
      var start = 0
      for end in ends {
        try ear.hear(bytes[start..<end])
        start = end
      }
      try demand(ear.heard == whole.heard, "whole: \(whole.heard), in pieces: \(ear.heard)")
    }
    try repeated(whole.heard, limits)
  }

  private static func repeated(_ heard: [Heard], _ limits: MessageReader.Limits) throws(Finding) {
    for (side, key) in [(MessageReader.Side.server, 0xA1B2_C3D4 as UInt32?), (.client, nil)] {
      var written = ByteBuffer()
      let said = heard.filter { $0.write(key: key, to: &written) }
      var ear = FrameEar(side, limits)
      try ear.hear(written.array()[...])
      try demand(ear.heard == said, "said \(said), understood \(ear.heard)")
    }
  }
}

/// What a reader was told, with the bytes themselves.
enum Heard: Equatable {
  case message(Opcode, [UInt8])
  case compressed(Opcode, [UInt8])
  case ping([UInt8])
  case pong([UInt8])
  case close(CloseCode?, [UInt8])
  case violation(ProtocolViolation)

  /// Appends the frame that says this; false for a violation, which no frame of ours is.
  func write(key: UInt32?, to buffer: inout ByteBuffer) -> Bool {
    switch self {
    case .message(let opcode, let bytes): unsafe FrameWriter.append(opcode, bytes.span.bytes, key: key, to: &buffer)
    case .compressed(let opcode, let bytes):
      unsafe FrameWriter.append(opcode, bytes.span.bytes, isCompressed: true, key: key, to: &buffer)
    case .ping(let bytes): unsafe FrameWriter.append(.ping, bytes.span.bytes, key: key, to: &buffer)
    case .pong(let bytes): unsafe FrameWriter.append(.pong, bytes.span.bytes, key: key, to: &buffer)
    case .close(let code, let reason):
      unsafe FrameWriter.appendClose(code, reason: reason.span.bytes, key: key, to: &buffer)
    case .violation: return false
    }
    return true
  }
}

/// A reader with what it left, fed as a connection feeds it.
struct FrameEar: ~Copyable {
  private(set) var heard: [Heard] = []
  private var reader: MessageReader
  private let limits: MessageReader.Limits
  private var waiting = ByteBuffer()
  private var isOver = false

  init(_ side: MessageReader.Side, _ limits: MessageReader.Limits) {
    reader = MessageReader(side: side)
    self.limits = limits
  }

  mutating func hear(_ bytes: ArraySlice<UInt8>) throws(Finding) {
    guard !isOver else { return }
    waiting.append(Array(bytes))
    var offset = 0
    do throws(ProtocolViolation) {
      try Self.read(&waiting, &reader, at: &offset, limits, &heard)
    } catch {
      heard.append(.violation(error))
      isOver = true
    }
    try demand(offset <= waiting.count, "read behind the end")
    waiting.removeFirst(offset)
    try demand(isOver || waiting.count <= 130, "\(waiting.count) bytes were left")
    try demand(
      reader.assembled.count <= max(limits.messageBytes, limits.compressedBytes),
      "\(reader.assembled.count) bytes are held")
  }

  /// Separate arguments: while a span into the buffer lives, the compiler lets nothing else of `self` change.
  private static func read(
    _ waiting: inout ByteBuffer, _ reader: inout MessageReader, at offset: inout Int, _ limits: MessageReader.Limits,
    _ heard: inout [Heard]
  ) throws(ProtocolViolation) {
    var span = waiting.mutableBytes
    while let event = try reader.next(in: &span, at: &offset, limits: limits) {
      switch event {
      case .message(let opcode, let range): heard.append(.message(opcode, array(range, span.bytes)))
      case .assembled(let opcode): heard.append(.message(opcode, reader.assembled.array()))
      case .compressed(let opcode, let range): heard.append(.compressed(opcode, array(range, span.bytes)))
      case .assembledCompressed(let opcode): heard.append(.compressed(opcode, reader.assembled.array()))
      case .ping(let range): heard.append(.ping(array(range, span.bytes)))
      case .pong(let range): heard.append(.pong(array(range, span.bytes)))
      case .close(let code, let reason): heard.append(.close(code, array(reason, span.bytes)))
      }
    }
  }

  private static func array(_ range: Range<Int>, _ bytes: borrowing RawSpan) -> [UInt8] {
    unsafe bytes.extracting(range).withUnsafeBytes { unsafe Array($0) }
  }
}
