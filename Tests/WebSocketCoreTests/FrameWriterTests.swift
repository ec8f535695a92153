import Buffers
import RoostTesting
import Testing
import WebSocketCore

@Suite struct FrameWriterTests {
  @Test(
    arguments: [
      (0, [0x82, 0]), (125, [0x82, 125]), (126, [0x82, 126, 0, 126]), (65_535, [0x82, 126, 255, 255]),
      (65_536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] as [(Int, [UInt8])])
  func `lengths are written in the shortest form`(length: Int, header: [UInt8]) {
    #expect(FrameWriter.headerLength(forPayload: length) == header.count)
    #expect(ByteBuffer.written { FrameWriter.appendHeader(.binary, payloadBytes: length, to: &$0) } == header)
    let masked = ByteBuffer.written {
      FrameWriter.appendHeader(.binary, payloadBytes: length, key: 0x0403_0201, to: &$0)
    }
    var expected = header + [1, 2, 3, 4]
    expected[1] |= 0x80
    #expect(masked == expected)
  }

  /// RFC 6455, section 5.7.
  @Test func `writes the examples of the RFC`() {
    let hello = Array("Hello".utf8)
    let write = { (opcode: Opcode, key: UInt32?) in
      ByteBuffer.written { FrameWriter.append(opcode, unsafe hello.span.bytes, key: key, to: &$0) }
    }
    #expect(write(.text, nil) == [0x81, 0x05] + hello)
    #expect(write(.ping, nil) == [0x89, 0x05] + hello)
    let masked: [UInt8] = [0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
    #expect(write(.text, 0x3D21_FA37) == [0x81] + masked)
    #expect(write(.pong, 0x3D21_FA37) == [0x8A] + masked)
  }

  @Test func `close frames carry a code and a reason, or neither`() {
    #expect(ByteBuffer.written { FrameWriter.appendClose(nil, to: &$0) } == [0x88, 0])
    #expect(ByteBuffer.written { FrameWriter.appendClose(.normal, to: &$0) } == [0x88, 2, 0x03, 0xE8])
    let reason = ByteBuffer.written { FrameWriter.appendClose(.tooSlow, reason: "slow", to: &$0) }
    #expect(reason == [0x88, 6, 0x0F, 0xA8] + Array("slow".utf8))
    let masked = ByteBuffer.written { FrameWriter.appendClose(.revoked, reason: "no", key: 0xDEAD_BEEF, to: &$0) }
    #expect(Stream.read(masked) == [.close(.revoked, Array("no".utf8))])
  }

  @Test(arguments: ["a", "é", "€", "😀"], 0..<5)
  func `long reasons are cut between characters`(character: String, shift: Int) throws {
    let reason = String(repeating: "x", count: shift) + String(repeating: character, count: 130)
    let frame = ByteBuffer.written { FrameWriter.appendClose(.goingAway, reason: reason, to: &$0) }
    guard case .close(.goingAway, let kept) = Stream.read(frame, .client).first else {
      Issue.record("not readable")
      return
    }
    #expect(kept.count <= 123 && kept.count > 123 - character.utf8.count)
    #expect(Array(reason.utf8).starts(with: kept))
  }

  @Test func `our own mistakes stop the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = ByteBuffer.written { FrameWriter.appendHeader(.ping, payloadBytes: 126, to: &$0) }
    }
    await #expect(processExitsWith: .failure) {
      _ = ByteBuffer.written { FrameWriter.appendHeader(.close, payloadBytes: 2, isFinal: false, to: &$0) }
    }
    await #expect(processExitsWith: .failure) {
      _ = ByteBuffer.written { FrameWriter.appendClose(.abnormal, to: &$0) }
    }
  }

  /// What a side writes the other side reads, whatever it is and however it is cut.
  @Test(arguments: 0..<30 as Range<UInt64>, [MessageReader.Side.server, .client])
  func `is read back`(seed: UInt64, reading: MessageReader.Side) {
    var generator = SeededGenerator(seed: seed)
    var buffer = ByteBuffer()
    var expected: [Seen] = []
    for _ in 0..<15 {
      let key: UInt32? = reading == .server ? UInt32.random(in: 0 ... .max, using: &generator) : nil
      let size = [0...10, 100...140, 0...500, 0...500, 65_530...65_540].randomElement(using: &generator)!
      let text = [UInt8](repeating: 0x41, count: Int.random(in: size, using: &generator))
      switch Int.random(in: 0..<5, using: &generator) {
      case 0:
        let short = Array(text.prefix(125))
        FrameWriter.append(.ping, unsafe short.span.bytes, key: key, to: &buffer)
        expected.append(.ping(short))
      case 1:
        let cut = Int.random(in: 0...text.count, using: &generator)
        FrameWriter.append(.binary, unsafe text.span.bytes.extracting(0..<cut), isFinal: false, key: key, to: &buffer)
        FrameWriter.append(.continuation, unsafe text.span.bytes.extracting(cut...), key: key, to: &buffer)
        expected.append(.message(.binary, text))
      default:
        FrameWriter.append(.text, unsafe text.span.bytes, key: key, to: &buffer)
        expected.append(.message(.text, text))
      }
    }
    let bytes = buffer.array()
    let cuts = (0..<20).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
    let limits = MessageReader.Limits(messageBytes: 70_000)
    #expect(Stream.read(bytes, reading, limits) == expected)
    #expect(Stream.read(bytes, cuts: cuts, reading, limits) == expected)
  }
}
