import Foundation
import RealtimeCore
import RoostTesting
import Testing

/// What the scanner says about a text that must be one value of any kind.
func scan(_ bytes: [UInt8]) -> JSONProblem? {
  let span = unsafe bytes.span.bytes
  var scanner = JSONScanner()
  do {
    scanner.skipSpace(span)
    try scanner.value(span)
    try scanner.finish(span)
    return nil
  } catch {
    return error
  }
}

@Suite struct JSONScannerTests {
  @Test(arguments: [
    "{}", "[]", " \t\r\n{ } ", "null", "true", "false", "0", "-0", "-0.5e+10", "12E-3", "1e999", #""""#, #""\u0000""#,
    #""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#, #"{"a":{"a":[1,{"b":null}],"c":""}}"#, "[ 1 , 2 ]", "\"größe €  😀\"",
    "\"\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}\"",
  ])
  func `is JSON`(text: String) {
    #expect(scan(bytes(text)) == nil)
  }

  @Test(arguments: [
    "", " ", "{", "}", "[", "]", "{]", "[}", "{,}", "[,]", "[1,]", #"{"a":1,}"#, #"{"a"}"#, #"{"a":}"#, "{a:1}",
    #"{"a":1{"b":2}"#, #"{"a":1 "b":2}"#, "{1:2}", "[1 2]", "nul", "nulll", "True", "NaN", "Infinity", "-Infinity",
    "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1 2", "{}{}", "{}\n{}", "{} x", "'a'", "\"", "\"a",
    #""\"#, #""\x""#, #""\u12""#, #""\u12G4""#, #""\uD800""#, #""\uDC00""#, #""\uD800\n""#, #""\uD800\u0041""#,
    #""\uD800\uD800""#, #""\uD83D\u""#, "\"\n\"", "\"\t\"", "\"\u{0}\"", "\u{FEFF}{}", "//\n{}", "/**/1", "1/**/",
    "{}\u{0}", "\u{A0}1", "[1,/**/2]",
  ])
  func `is not JSON`(text: String) {
    #expect(scan(bytes(text)) == .malformed)
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xE0, 0x9F, 0xBF], [0xE0, 0xA0], [0xED, 0xA0, 0x80],
      [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE], [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28],
    ] as [[UInt8]])
  func `is not UTF-8`(sequence: [UInt8]) {
    for shift in 0..<9 {
      let padding = [UInt8](repeating: UInt8(ascii: "x"), count: shift)
      #expect(scan([0x22] + padding + sequence + padding + [0x22]) == .malformed)
      #expect(scan([0x22] + padding + sequence) == .malformed)
    }
  }

  @Test func `depth stops at thirty two`() {
    func nested(_ open: String, _ close: String, _ depth: Int) -> [UInt8] {
      bytes(String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth))
    }
    #expect(scan(nested("[", "]", 32)) == nil)
    #expect(scan(nested("[", "]", 33)) == .tooComplex)
    #expect(scan(nested(#"{"a":"#, "}", 32)) == nil)
    #expect(scan(nested(#"{"a":"#, "}", 33)) == .tooComplex)
    #expect(scan([UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)) == .tooComplex)
    #expect(scan(bytes("[" + String(repeating: "[[]],", count: 1_000) + "1]")) == nil)
  }

  @Test func `keys of all objects together stop at 1,024`() {
    func wide(_ count: Int) -> [UInt8] {
      bytes("[" + (0..<count).map { #"{"k\#($0)":0}"# }.joined(separator: ",") + "]")
    }
    #expect(scan(wide(1_024)) == nil)
    #expect(scan(wide(1_025)) == .tooComplex)
  }

  @Test func `an object's members come with their ranges`() throws {
    let text = bytes(#" { "a" : [1, 2] ,"b\u0063":"x","":{ } } "#)
    let span = unsafe text.span.bytes
    var scanner = JSONScanner()
    scanner.skipSpace(span)
    var found: [String] = []
    var key = try scanner.enterObject(span)
    while let name = key {
      let value = try scanner.value(span)
      found.append(name.text(in: span) + "=" + String(decoding: text[value], as: UTF8.self))
      key = try scanner.nextKey(span)
    }
    try scanner.finish(span)
    #expect(found == ["a=[1, 2]", #"bc="x""#, "={ }"])
  }

  @Test func `strings mean what Foundation reads in them`() throws {
    let text = bytes(#""a\"\\\/\b\f\n\r\t\u0000\u00e9\uD83D\uDE00\uFFFFö😀""#)
    let span = unsafe text.span.bytes
    let string = JSONString(contents: 1..<text.count - 1, in: span)
    let expected = try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed) as? String
    let (meaning, count) = (string.text(in: span), string.scalarCount(in: span))
    #expect(meaning == expected && count == expected?.unicodeScalars.count)
    #expect(string.isEscaped)
  }
}
