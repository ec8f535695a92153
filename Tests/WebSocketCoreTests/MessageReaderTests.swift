import Buffers
import RoostTesting
import Testing
import WebSocketCore

@Suite struct MessageReaderTests {
  /// One of everything: lengths around each form, fragments with control frames between them, both kinds.
  static let stream: [UInt8] = [
    RawFrame(0x81, "Hello"), RawFrame(0x82), RawFrame(0x89, "are you there"), RawFrame(0x8A),
    RawFrame(0x01, "gr"), RawFrame(0x89, "between"), RawFrame(0x00, [0xC3]), RawFrame(0x8A, "pong"),
    RawFrame(0x00), RawFrame(0x80, [0xBC, 0xC3, 0x9F]), RawFrame(0x81, String(repeating: "x", count: 125)),
    RawFrame(0x82, claimsBody: 126), RawFrame(0x02, claimsBody: 300), RawFrame(0x80, claimsBody: 4),
    RawFrame(0x81, "€😀"), RawFrame(0x88, [0x03, 0xE8, 0x62, 0x79, 0x65]),
  ].flatMap(\.bytes)

  static let seen: [Seen] = [
    .message(.text, Array("Hello".utf8)), .message(.binary, []), .ping(Array("are you there".utf8)), .pong([]),
    .ping(Array("between".utf8)), .pong(Array("pong".utf8)), .message(.text, Array("grüß".utf8)),
    .message(.text, Array(repeating: 120, count: 125)), .message(.binary, Array(repeating: 0, count: 126)),
    .message(.binary, Array(repeating: 0, count: 304)), .message(.text, Array("€😀".utf8)),
    .close(.normal, Array("bye".utf8)),
  ]

  @Test func `reads a stream in one piece`() {
    #expect(Stream.read(Self.stream) == Self.seen)
  }

  @Test func `reads a stream byte by byte`() {
    #expect(Stream.read(Self.stream, cuts: Array(0..<Self.stream.count)) == Self.seen)
  }

  @Test func `one cut anywhere changes nothing`() {
    for cut in 0...Self.stream.count where Stream.read(Self.stream, cuts: [cut]) != Self.seen {
      Issue.record("cut at \(cut)")
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `random cuts change nothing`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for count in [2, 2, 2, 2, 2, 3, 5, 20] {
      let cuts = (0..<count).map { _ in Int.random(in: 0...Self.stream.count, using: &generator) }.sorted()
      #expect(Stream.read(Self.stream, cuts: cuts) == Self.seen, "\(cuts)")
    }
  }

  /// RFC 6455, section 5.7.
  @Test func `reads the examples of the RFC`() {
    let hello = Array("Hello".utf8)
    let masked: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
    #expect(Stream.read(masked) == [.message(.text, hello)])
    #expect(Stream.read([0x81, 0x05] + hello, .client) == [.message(.text, hello)])
    let fragments: [UInt8] = [0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]
    #expect(Stream.read(fragments, .client) == [.message(.text, hello)])
    #expect(Stream.read([0x89, 0x05] + hello, .client) == [.ping(hello)])
    #expect(Stream.read([0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]) == [.pong(hello)])
    let limits = MessageReader.Limits(messageBytes: 65_536)
    let big = [UInt8](repeating: 1, count: 65_536)
    #expect(Stream.read([0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + big, .client, limits) == [.message(.binary, big)])
  }

  @Test func `what the caller keeps is small, whatever is missing`() {
    for frame in [RawFrame(0x89, claimsBody: 125), RawFrame(0x82, claimsBody: 400)] {
      for cut in 0..<frame.bytes.count {
        var stream = Stream(.server)
        stream.arrive(Array(frame.bytes[..<cut]))
        guard stream.leftoverBytes > 130 || stream.seen != [] else { continue }
        Issue.record("cut at \(cut): \(stream.leftoverBytes) bytes kept")
      }
    }
  }

  @Test func `assembling begins with a part of a message and ends with the message`() {
    var stream = Stream(.server)
    #expect(stream.isAssembling == false)
    stream.arrive(RawFrame(0x81, "whole").bytes)
    #expect(stream.isAssembling == false)
    stream.arrive(RawFrame(0x01, "a").bytes)
    #expect(stream.isAssembling == true)
    stream.arrive(RawFrame(0x89, "ping").bytes)
    #expect(stream.isAssembling == true)
    stream.arrive(Array(RawFrame(0x80, "bcd").bytes.dropLast()))
    #expect(stream.isAssembling && stream.gatheredBytes == 3)
    stream.arrive(Array(RawFrame(0x80, "bcd").bytes.suffix(1)))
    #expect(!stream.isAssembling && stream.gatheredBytes == 0)
    #expect(stream.seen.last == .message(.text, Array("abcd".utf8)))
  }

  @Test func `an assembled message can be taken`() throws {
    var reader = MessageReader(side: .server)
    var bytes = ByteBuffer()
    bytes.append(RawFrame(0x02, "ab").bytes + RawFrame(0x80, "c").bytes + RawFrame(0x81, "next").bytes)
    var offset = 0
    var span = bytes.mutableBytes
    #expect(try reader.next(in: &span, at: &offset, limits: .init()) == .assembled(.binary))
    let taken = reader.takeAssembled()
    #expect(try reader.next(in: &span, at: &offset, limits: .init()) == .message(.text, 21..<25))
    #expect(taken.array() == Array("abc".utf8) && offset == 25)
  }

  @Test func `tens of thousands of readers are small`() {
    #expect(MemoryLayout<MessageReader>.size <= 64)
  }

  /// Nothing but noise, half of it beginning like a frame: an answer or a violation, never a crash, and never
  /// more taken than there is.
  @Test(arguments: 0..<400 as Range<UInt64>)
  func `takes any bytes`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let side: MessageReader.Side = Bool.random(using: &generator) ? .server : .client
    let bytes = (0..<Int.random(in: 0...20, using: &generator)).flatMap { _ in
      var piece = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      if piece.count > 1, Int.random(in: 0..<4, using: &generator) > 0 {
        piece[0] = [0x01, 0x81, 0x00, 0x80, 0x82, 0x89, 0x8A].randomElement(using: &generator)!
        piece[1] = UInt8(min(125, max(0, piece.count - 6))) | (side == .server ? 0x80 : 0)
      }
      return piece
    }
    let cuts = (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
    let whole = Stream.read(bytes, side)
    #expect(Stream.read(bytes, cuts: cuts, side) == whole)
    #expect(Stream.read(bytes, cuts: Array(0..<bytes.count), side) == whole)
  }
}
