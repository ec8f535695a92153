import Buffers
import RoostTesting
import Testing

@Suite struct UTF8ValidatorTests {
  /// What the standard library thinks.
  static func expected(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

  static func isValid(_ bytes: [UInt8]) -> Bool { unsafe UTF8Validator.isValid(bytes.span.bytes) }

  /// How many bytes a validator fed byte by byte takes before it says no; nil when it never does.
  static func refusal(_ bytes: [UInt8]) -> Int? {
    var validator = UTF8Validator()
    for (index, byte) in bytes.enumerated() {
      let piece = [byte]
      if unsafe !validator.consume(piece.span.bytes) { return index }
    }
    return nil
  }

  /// Alone and in front of more text: the end of a buffer is read in another way than its middle.
  @Test(arguments: [[], Array("and then some more".utf8)])
  func `every edge of every range, in up to four bytes`(after: [UInt8]) {
    let edges: [UInt8] = [
      0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
      0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF,
    ]
    var wrong: [[UInt8]] = []
    func check(_ bytes: [UInt8]) {
      if Self.isValid(bytes + after) != Self.expected(bytes + after) { wrong.append(bytes) }
    }
    for first in UInt8.min...UInt8.max {
      check([first])
      for second in edges {
        check([first, second])
        guard first >= 0xE0 else { continue }
        for third in edges { check([first, second, third]) }
      }
    }
    for first in edges where first >= 0xF0 {
      for second in UInt8(0x7F)...0xC0 {
        for third in [0x7F, 0x80, 0xBF, 0xC0] as [UInt8] {
          for fourth in [0x7F, 0x80, 0xBF, 0xC0] as [UInt8] { check([first, second, third, fourth]) }
        }
      }
    }
    for first in UInt8(0xE0)...0xEF {
      for second in UInt8(0x7F)...0xC0 { check([first, second, 0x80]) }
    }
    #expect(wrong == [])
  }

  @Test(
    arguments: [
      ([0x80], 0), ([0xC0], 0), ([0xC1], 0), ([0xF5], 0), ([0xFF], 0), ([0x41, 0xC3, 0x28], 2),
      ([0xE0, 0x9F], 1), ([0xED, 0xA0], 1), ([0xF0, 0x8F], 1), ([0xF4, 0x90], 1), ([0xE2, 0x82, 0x41], 2),
      ([0xF0, 0x9F, 0x98, 0xC0], 3),
    ] as [([UInt8], Int)])
  func `says no at the first byte that cannot be right`(bytes: [UInt8], index: Int) {
    #expect(Self.refusal(bytes) == index)
  }

  @Test func `stays refused`() {
    var validator = UTF8Validator()
    let bad: [UInt8] = [0xFF]
    let good = Array("good".utf8)
    #expect(unsafe !validator.consume(bad.span.bytes) && !validator.isComplete)
    #expect(unsafe !validator.consume(good.span.bytes) && !validator.isComplete)
  }

  @Test func `a started character is not complete`() {
    for text in ["é", "€", "😀"] {
      let bytes = Array(text.utf8)
      for cut in 1..<bytes.count {
        var validator = UTF8Validator()
        let piece = Array(bytes[..<cut])
        #expect(unsafe validator.consume(piece.span.bytes) && !validator.isComplete)
      }
    }
  }

  /// Mostly valid text with a few bytes overwritten, cut in pieces: the same verdict as the standard library's.
  @Test(arguments: 0..<300 as Range<UInt64>)
  func `pieces of any size give the verdict of the whole`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let alphabet = ["a", "plain text ", "é", "€", "😀", "\u{0}", "\u{7FF}", "\u{FFFF}", "\u{10FFFF}", "12345678"]
    var bytes = (0..<Int.random(in: 0...40, using: &generator)).flatMap { _ in
      Array(alphabet.randomElement(using: &generator)!.utf8)
    }
    if !bytes.isEmpty, Bool.random(using: &generator) {
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
    }
    var validator = UTF8Validator()
    var accepted = true
    var place = 0
    while place < bytes.count {
      let end = min(bytes.count, place + Int.random(in: 1...20, using: &generator))
      accepted = unsafe validator.consume(bytes.span.bytes.extracting(place..<end)) && accepted
      place = end
    }
    #expect((accepted && validator.isComplete) == Self.expected(bytes))
    #expect(Self.isValid(bytes) == Self.expected(bytes))
  }
}
