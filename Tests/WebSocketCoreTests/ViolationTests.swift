import Testing
import WebSocketCore

/// A stream that breaks one rule, what is seen before it, and how it ends.
struct BadStream: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var bytes: [UInt8]
  var before: [Seen]
  var end: ProtocolViolation
  var side = MessageReader.Side.server

  init(_ name: String, _ frames: [RawFrame], before: [Seen] = [], _ end: ProtocolViolation) {
    (testDescription, bytes, self.before, self.end) = (name, frames.flatMap(\.bytes), before, end)
  }

  static let headers: [Self] = [
    .init("no mask", [RawFrame(0x81, [65], key: nil)], .unmaskedFrame),
    .init("RSV1", [RawFrame(0xC1, "a")], .reservedBits),
    .init("RSV2", [RawFrame(0xA1, "a")], .reservedBits),
    .init("RSV3", [RawFrame(0x91, "a")], .reservedBits),
    .init("RSV1 on a ping", [RawFrame(0xC9)], .reservedBits),
    .init("a fragmented ping", [RawFrame(0x09)], .fragmentedControlFrame),
    .init("a fragmented close", [RawFrame(0x08)], .fragmentedControlFrame),
    .init("a ping of 126", [RawFrame(0x89, Array(repeating: 0, count: 126))], .longControlFrame),
    .init("a close of 70,000", [RawFrame(0x88, claims: 70_000)], .longControlFrame),
    .init("a short length in two bytes", [RawFrame(0x81, claims: 125, lengthBytes: 2)], .nonMinimalLength),
    .init("length zero in two bytes", [RawFrame(0x81, claims: 0, lengthBytes: 2)], .nonMinimalLength),
    .init("a middle length in eight bytes", [RawFrame(0x81, claims: 65_535, lengthBytes: 8)], .nonMinimalLength),
    .init("a length of 2^63", [RawFrame(0x81, claims: 1 << 63)], .impossibleLength),
    .init("a length of 2^64 - 1", [RawFrame(0x82, claims: .max)], .impossibleLength),
    .init("a length of 2^63 - 1", [RawFrame(0x82, claims: .max >> 1)], .messageTooBig),
    .init("one byte over the limit", [RawFrame(0x82, claims: 4097)], .messageTooBig),
  ]

  static let messages: [Self] = [
    .init("a continuation of nothing", [RawFrame(0x80, "a")], .unexpectedContinuation),
    .init(
      "a continuation after a whole message", [RawFrame(0x81, "a"), RawFrame(0x00, "b")],
      before: [.message(.text, [97])], .unexpectedContinuation),
    .init("a message inside a message", [RawFrame(0x01, "a"), RawFrame(0x81, "b")], .unfinishedMessage),
    .init("a fragment inside a message", [RawFrame(0x02, "a"), RawFrame(0x02, "b")], .unfinishedMessage),
    .init("fragments over the limit", [RawFrame(0x02, claimsBody: 4096), RawFrame(0x80, "b")], .messageTooBig),
    .init("a sum over 2^63", [RawFrame(0x02, "ab"), RawFrame(0x80, claims: .max >> 1)], .messageTooBig),
    .init(
      "65 fragments", [RawFrame(0x02, "a")] + Array(repeating: RawFrame(0x00, "a"), count: 64), .tooManyFragments),
    .init(
      "nine empty fragments", [RawFrame(0x02, "a")] + Array(repeating: RawFrame(0x00), count: 9), .emptyFragments),
    .init("a text that is not UTF-8", [RawFrame(0x81, [0x61, 0xFF])], .invalidUTF8),
    .init("a text that ends within a character", [RawFrame(0x81, [0xE2, 0x82])], .invalidUTF8),
    .init("fragments that are not UTF-8", [RawFrame(0x01, [0xE2]), RawFrame(0x00, [0x28])], .invalidUTF8),
    .init("fragments that end within a character", [RawFrame(0x01, [0x61]), RawFrame(0x80, [0xE2])], .invalidUTF8),
    .init("a surrogate", [RawFrame(0x81, [0xED, 0xA0, 0x80])], .invalidUTF8),
  ]

  static let closes: [Self] = [
    .init("a close of one byte", [RawFrame(0x88, [3])], .invalidClose),
    .init("a close reason that is not UTF-8", [RawFrame(0x88, [3, 232, 0xC0, 0x80])], .invalidUTF8),
    .init("a close reason cut within a character", [RawFrame(0x88, [3, 232, 0xE2, 0x82])], .invalidUTF8),
  ]

  static let all = headers + messages + closes
}

extension RawFrame {
  init(_ first: UInt8, claimsBody count: Int) { self.init(first, Array(repeating: 0, count: count)) }
}

@Suite struct ViolationTests {
  @Test(arguments: BadStream.all)
  func `ends with its violation`(bad: BadStream) {
    #expect(Stream.read(bad.bytes) == bad.before + [.violation(bad.end)])
  }

  /// Neither the place of a cut nor a byte-by-byte arrival changes what is refused and why.
  @Test(arguments: BadStream.all)
  func `ends the same however it is cut`(bad: BadStream) {
    for cut in 0...bad.bytes.count where bad.bytes.count < 1000 || cut < 20 {
      #expect(Stream.read(bad.bytes, cuts: [cut]) == bad.before + [.violation(bad.end)], "cut at \(cut)")
    }
    #expect(Stream.read(bad.bytes, cuts: Array(0..<bad.bytes.count)) == bad.before + [.violation(bad.end)])
  }

  @Test(arguments: [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF] as [UInt8])
  func `reserved opcodes are refused`(opcode: UInt8) {
    #expect(Stream.read(RawFrame(0x80 | opcode).bytes) == [.violation(.reservedOpcode)])
    #expect(Stream.read(RawFrame(opcode).bytes) == [.violation(.reservedOpcode)])
  }

  @Test func `a client takes no masked frame`() {
    #expect(Stream.read(RawFrame(0x81, "a").bytes, .client) == [.violation(.maskedFrame)])
    #expect(Stream.read(RawFrame(0x81, [97], key: nil).bytes, .client) == [.message(.text, [97])])
  }

  @Test func `every close code is judged as the table says`() {
    for number in UInt16.min...UInt16.max {
      let frame = RawFrame(0x88, [UInt8(number >> 8), UInt8(number & 0xFF)]).bytes
      let code = CloseCode(rawValue: number)
      let expected: Seen = code.isValidOnWire ? .close(code, []) : .violation(.invalidClose)
      guard Stream.read(frame) != [expected] else { continue }
      Issue.record("close code \(number)")
    }
  }

  /// The limits themselves pass, one more does not (the table above).
  @Test func `what is exactly at a limit passes`() {
    let body = [UInt8](repeating: 7, count: 4096)
    #expect(Stream.read(RawFrame(0x82, body).bytes) == [.message(.binary, body)])
    let pieces = [RawFrame(0x02, "a")] + Array(repeating: RawFrame(0x00, "a"), count: 62) + [RawFrame(0x80, "a")]
    #expect(Stream.read(pieces.flatMap(\.bytes)) == [.message(.binary, Array(repeating: 97, count: 64))])
    let empty = Array(repeating: RawFrame(0x00), count: 8)
    let runs = [RawFrame(0x02)] + empty + [RawFrame(0x00, "a")] + empty + [RawFrame(0x80)]
    #expect(Stream.read(runs.flatMap(\.bytes)) == [.message(.binary, [97])])
    #expect(Stream.read(RawFrame(0x89, claimsBody: 125).bytes) == [.ping(Array(repeating: 0, count: 125))])
  }

  @Test func `a length over the limit is refused before any payload`() {
    var stream = Stream(.server)
    stream.arrive(RawFrame(0x82, claims: 5000).bytes)
    #expect(stream.seen == [.violation(.messageTooBig)])
    #expect(stream.gatheredBytes == 0)
  }

  @Test func `bad UTF-8 is refused before its message ends`() {
    var stream = Stream(.server)
    stream.arrive(RawFrame(0x01, [0x61, 0xF4, 0x90], claims: 1000).bytes)
    #expect(stream.seen == [.violation(.invalidUTF8)])
  }

  @Test func `the check of whole texts can be left to somebody else`() {
    let limits = MessageReader.Limits(checksText: false)
    let bad: [UInt8] = [0x61, 0xFF]
    #expect(Stream.read(RawFrame(0x81, bad).bytes, .server, limits) == [.message(.text, bad)])
    let pieces = RawFrame(0x01, bad).bytes + RawFrame(0x80, bad).bytes
    #expect(Stream.read(pieces, .server, limits) == [.violation(.invalidUTF8)])
  }
}
