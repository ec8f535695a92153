import Buffers
import RoostTesting
import Testing
import WebSocketCore

/// What permessage-deflate changes for the reader and the writer of frames (RFC 7692 section 6).
@Suite struct CompressedMessageTests {
  static let limits = MessageReader.Limits(messageBytes: 64).takingCompressed()
  /// No text: what is compressed is nobody's to check before it is restored.
  static let noise: [UInt8] = [0xFF, 0xC0, 0x80]

  private func read(_ frames: [RawFrame], cuts: [Int] = []) -> [Seen] {
    Stream.read(frames.flatMap(\.bytes), cuts: cuts, .server, Self.limits)
  }

  @Test func `the bit on the first frame is a compressed message`() {
    #expect(read([RawFrame(0xC1, Self.noise)]) == [.compressed(.text, Self.noise)])
    #expect(read([RawFrame(0xC2, Self.noise)]) == [.compressed(.binary, Self.noise)])
    #expect(read([RawFrame(0xC1)]) == [.compressed(.text, [])])
  }

  @Test func `fragments belong to the first frame, whatever comes between and however they are cut`() {
    let frames = [
      RawFrame(0x41, [0xFF]), RawFrame(0x89, "p"), RawFrame(0x00, [0xC0]), RawFrame(0x80, [0x80]), RawFrame(0x81, "a"),
      RawFrame(0x01, "b"), RawFrame(0x80, "c"), RawFrame(0xC2, "d"),
    ]
    let expected: [Seen] = [
      .ping([0x70]), .compressed(.text, Self.noise), .message(.text, [0x61]), .message(.text, [0x62, 0x63]),
      .compressed(.binary, [0x64]),
    ]
    let count = frames.flatMap(\.bytes).count
    for cut in 0...count { #expect(read(frames, cuts: [cut]) == expected, "cut at \(cut)") }
    #expect(read(frames, cuts: Array(0..<count)) == expected)
  }

  static let refused: [(String, [RawFrame])] = [
    ("on a continuation", [RawFrame(0x41, "a"), RawFrame(0xC0, "b")]),
    ("on a continuation of a plain message", [RawFrame(0x01, "a"), RawFrame(0xC0, "b")]),
    ("on a ping", [RawFrame(0xC9)]), ("on a pong", [RawFrame(0xCA)]), ("on a close", [RawFrame(0xC8)]),
    ("with RSV2", [RawFrame(0xE1, "a")]), ("with RSV3", [RawFrame(0xD1, "a")]), ("RSV2 alone", [RawFrame(0xA1, "a")]),
  ]

  @Test(arguments: refused)
  func `the bit is refused elsewhere`(name: String, frames: [RawFrame]) {
    #expect(read(frames) == [.violation(.reservedBits)])
  }

  @Test func `without the agreement the bit is refused`() {
    #expect(Stream.read(RawFrame(0xC1, "a").bytes) == [.violation(.reservedBits)])
    #expect(Stream.read(RawFrame(0xC1, [97], key: nil).bytes, .client) == [.violation(.reservedBits)])
  }

  @Test func `plain messages keep their limit, compressed ones may be a little longer on the wire`() {
    let long = [UInt8](repeating: 65, count: 136)
    #expect(read([RawFrame(0xC1, long)]) == [.compressed(.text, long)])
    #expect(read([RawFrame(0x41, long), RawFrame(0x80)]) == [.compressed(.text, long)])
    #expect(read([RawFrame(0xC1, claims: 137)]) == [.violation(.messageTooBig)])
    #expect(read([RawFrame(0x41, long), RawFrame(0x80, "a")]) == [.violation(.messageTooBig)])
    #expect(read([RawFrame(0x81, claims: 65)]) == [.violation(.messageTooBig)])
    #expect(read([RawFrame(0x01, Array(long.prefix(64))), RawFrame(0x80, "a")]) == [.violation(.messageTooBig)])
  }

  @Test func `frames say that they are compressed`() {
    let payload: [UInt8] = [1, 2, 3]
    let frame = ByteBuffer.written { unsafe FrameWriter.append(.text, payload.span.bytes, isCompressed: true, to: &$0) }
    #expect(frame == [0xC1, 3, 1, 2, 3])
    let first = ByteBuffer.written {
      FrameWriter.appendHeader(.binary, payloadBytes: 300, isFinal: false, isCompressed: true, to: &$0)
    }
    #expect(first == [0x42, 126, 1, 44])
  }

  @Test(arguments: [0, 125, 126, 65_535, 65_536])
  func `the length of a header is seen in the frame`(payloadBytes: Int) {
    let header = ByteBuffer.written { FrameWriter.appendHeader(.text, payloadBytes: payloadBytes, to: &$0) }
    #expect(unsafe FrameWriter.headerLength(of: header.span.bytes) == header.count)
  }
}
