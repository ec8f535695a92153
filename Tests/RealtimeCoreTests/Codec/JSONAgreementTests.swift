import Foundation
import RealtimeCore
import RoostTesting
import Testing

/// Random documents, whole and damaged, against Foundation's parser.
///
/// Deliberate differences, so the generator avoids them or the comparison excuses them:
/// - Foundation has its own depth limit (512) and none for keys; ours are 32 and 1,024: TOO_COMPLEX is not compared.
/// - Foundation skips a byte order mark and guesses UTF-16 and UTF-32; we take UTF-8 without a mark.
/// - Foundation refuses numbers that a Double cannot hold (`1e999`); we pass numbers on as text.
/// - Foundation takes a comma before the end of an array or object; we do not.
/// - Foundation takes repeated keys; ``Envelope`` refuses them at the top level (see `EnvelopeTests`).
@Suite struct JSONAgreementTests {
  @Test(arguments: 0..<60 as Range<UInt64>)
  func `accepts what Foundation accepts`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<60 {
      var document = JSONDocument.random(using: &generator)
      compare(document, seed)
      for _ in 0..<4 {
        JSONDocument.damage(&document, using: &generator)
        compare(document, seed)
      }
    }
  }

  private func compare(_ document: [UInt8], _ seed: UInt64) {
    let problem = scan(document)
    guard problem != .tooComplex, !isExcused(document) else { return }
    let parsed = try? JSONSerialization.jsonObject(with: Data(document), options: .fragmentsAllowed)
    guard (problem == nil) != (parsed != nil) else { return }
    let text = String(decoding: document, as: UTF8.self)
    let hasHugeNumber = text.contains(/[eE]\+?[0-9]{3}/)
    let endsWithComma = scan(Array(text.replacing(/,(\s*[\]}])/) { $0.1 }.utf8)) == nil
    #expect(problem == nil ? hasHugeNumber : endsWithComma, "seed \(seed): \(text)")
  }

  private func isExcused(_ document: [UInt8]) -> Bool {
    // A zero byte among the first four, or a mark: Foundation takes that for another encoding.
    document.prefix(4).contains(0) || document.starts(with: [0xEF, 0xBB, 0xBF]) || document.starts(with: [0xFE, 0xFF])
      || document.starts(with: [0xFF, 0xFE])
  }
}

/// Makes JSON texts with everything the grammar allows, and breaks them.
enum JSONDocument {
  static func random(using generator: inout SeededGenerator) -> [UInt8] {
    var text = ""
    value(depth: 0, &text, &generator)
    return Array(text.utf8)
  }

  /// Changes, drops, doubles or inserts one byte, mostly one that means something in JSON.
  static func damage(_ document: inout [UInt8], using generator: inout SeededGenerator) {
    let telling = Array(#"{}[]",:\u0123456789abcdefDdEe+-.truefalsn "#.utf8) + [0x00, 0x1F, 0x80, 0xC3, 0xED, 0xF4]
    let byte = telling[Int.random(in: 0..<telling.count, using: &generator)]
    let index = Int.random(in: 0...document.count, using: &generator)
    switch Int.random(in: 0..<4, using: &generator) {
    case 0 where index < document.count: document[index] = byte
    case 1 where index < document.count: document.remove(at: index)
    case 2 where index < document.count: document.removeSubrange(index...)
    default: document.insert(byte, at: index)
    }
  }

  private static func value(depth: Int, _ text: inout String, _ generator: inout SeededGenerator) {
    space(&text, &generator)
    switch Int.random(in: 0..<(depth > 6 ? 5 : 8), using: &generator) {
    case 0: text += ["true", "false", "null"].randomElement(using: &generator) ?? ""
    case 1, 2: number(&text, &generator)
    case 3, 4: string(&text, &generator)
    case 5:
      text += "["
      for place in 0..<Int.random(in: 0...4, using: &generator) {
        if place > 0 { text += "," }
        value(depth: depth + 1, &text, &generator)
      }
      text += "]"
    default:
      text += "{"
      for place in 0..<Int.random(in: 0...4, using: &generator) {
        if place > 0 { text += "," }
        space(&text, &generator)
        string(&text, &generator)
        space(&text, &generator)
        text += ":"
        value(depth: depth + 1, &text, &generator)
      }
      text += "}"
    }
    space(&text, &generator)
  }

  private static func number(_ text: inout String, _ generator: inout SeededGenerator) {
    if Bool.random(using: &generator) { text += "-" }
    text += "\(Int.random(in: 0...12_345, using: &generator))"
    if Bool.random(using: &generator) { text += ".\(Int.random(in: 0...999, using: &generator))" }
    if Bool.random(using: &generator) {
      text += ["e", "E", "e+", "E-"].randomElement(using: &generator) ?? ""
      text += "\(Int.random(in: 0...9, using: &generator))"
    }
  }

  private static func string(_ text: inout String, _ generator: inout SeededGenerator) {
    let pieces = [
      "a", "plain text", #"\""#, #"\\"#, #"\/"#, #"\b\f\n\r\t"#, #"\u0000"#, #"\u00E9"#, #"\ud83d\ude00"#, "é", "€",
      "😀",
      "\u{7F}", "\u{2028}", "0123456789",
    ]
    text += "\""
    for _ in 0..<Int.random(in: 0...4, using: &generator) { text += pieces.randomElement(using: &generator) ?? "" }
    text += "\""
  }

  private static func space(_ text: inout String, _ generator: inout SeededGenerator) {
    guard Int.random(in: 0..<5, using: &generator) == 0 else { return }
    text += [" ", "\n", "\t", "\r\n"].randomElement(using: &generator) ?? ""
  }
}
