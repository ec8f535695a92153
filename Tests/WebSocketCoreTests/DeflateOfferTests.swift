import RoostTesting
import Testing

@testable import WebSocketCore

@Suite struct DeflateOfferTests {
  static let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

  /// The answer to header fields; nil for no compression.
  static func answer(_ fields: [String]) -> String? {
    var offer = DeflateOffer()
    for field in fields { unsafe offer.add(field.utf8Span.span.bytes) }
    return offer.agreement?.answer
  }

  /// Offers, and what the answer has besides ``plain``.
  static let accepted: [(String, String)] = [
    ("permessage-deflate", ""),
    ("permessage-deflate; client_max_window_bits", ""),
    ("permessage-deflate;client_max_window_bits;server_no_context_takeover ;\tclient_no_context_takeover", ""),
    ("permessage-deflate; server_max_window_bits=9", "; server_max_window_bits=9"),
    ("permessage-deflate; server_max_window_bits=15", "; server_max_window_bits=15"),
    ("permessage-deflate; server_max_window_bits = \"10\"", "; server_max_window_bits=10"),
    (#"permessage-deflate; server_max_window_bits="\1\2""#, "; server_max_window_bits=12"),
    ("permessage-deflate; client_max_window_bits=15", "; client_max_window_bits=15"),
    ("permessage-deflate; client_max_window_bits=8", "; client_max_window_bits=8"),
    (
      "permessage-deflate; client_max_window_bits=11; server_max_window_bits=13",
      "; server_max_window_bits=13; client_max_window_bits=11"
    ),
    // the first that can be accepted
    ("x-webkit-deflate-frame, permessage-deflate", ""),
    (
      "mux; max-channels=4; a=\"b\", permessage-deflate; server_max_window_bits=10",
      "; server_max_window_bits=10"
    ),
    ("permessage-deflate; server_max_window_bits=8, permessage-deflate", ""),
    (
      "permessage-deflate; server_max_window_bits=9, permessage-deflate; server_max_window_bits=10",
      "; server_max_window_bits=9"
    ),
    (",, ,permessage-deflate,", ""),
  ]

  @Test(arguments: accepted)
  func `is answered with what was agreed on`(field: String, addition: String) {
    #expect(Self.answer([field]) == Self.plain + addition)
  }

  @Test(arguments: [
    "", " ", ",", "foo", "permessage-deflate-2", "PERMESSAGE-DEFLATE",
    // parameters nobody knows, or that come twice
    "permessage-deflate; x", "permessage-deflate; server_max_window_bits=9; level=3",
    "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
    "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
    // values that are none
    "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=true",
    "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=7",
    // 2^8 is a window of the RFC that zlib cannot write
    "permessage-deflate; server_max_window_bits=8",
    "permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits=09",
    "permessage-deflate; server_max_window_bits=-9", "permessage-deflate; server_max_window_bits=1e1",
    "permessage-deflate; server_max_window_bits=9999999999999999999999",
    "permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=010", "permessage-deflate; client_max_window_bits=x",
  ])
  func `is declined`(field: String) {
    #expect(Self.answer([field]) == nil)
    // … and the next one is looked at.
    #expect(Self.answer([field, "permessage-deflate"]) == Self.plain)
  }

  @Test(arguments: [
    ";", "permessage-deflate;", "permessage-deflate; =9", "permessage-deflate x", "permessage-deflate; a b",
    "permessage-deflate; server_max_window_bits=", #"permessage-deflate; server_max_window_bits="9"#,
    #"permessage-deflate; server_max_window_bits="""#, #"permessage-deflate; server_max_window_bits="1 0""#,
    #"permessage-deflate; server_max_window_bits="9"9"#, #"permessage-deflate; server_max_window_bits="9\"#,
    #""permessage-deflate""#, "permessage-deflate; a=\u{e9}", "permessage-deflate\u{0}", "a;b=\"", "=", "\"",
  ])
  func `a header that is no list is as good as none`(field: String) {
    #expect(Self.answer([field]) == nil)
    #expect(Self.answer(["permessage-deflate", field]) == nil)
    #expect(Self.answer([field, "permessage-deflate"]) == nil)
  }

  @Test func `several fields are one list`() {
    #expect(Self.answer(["foo", "permessage-deflate; server_max_window_bits=8", "permessage-deflate"]) == Self.plain)
  }

  /// Headers of 8 KiB that made other parsers take minutes (CVE-2020-7663, CVE-2021-32640): every byte is looked at a
  /// few times at most. The suites' usual time limit is thousands of times what that takes.
  @Test(
    .timeLimit(.minutes(30)),
    arguments: [" ", "\t ", ";", ",", "a", "\"", "\\", "a;", "a,", "a=\"\\", "=", "permessage-deflate,"])
  func `long runs of anything are read in one go`(unit: String) {
    let run = String(repeating: unit, count: 8_192 / unit.utf8.count)
    for field in [run, "permessage-deflate; a=\"" + run, "permessage-deflate" + run + ";" + run, run + "\"" + run] {
      for _ in 0..<100 { _ = Self.answer([field]) }
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `any bytes end in an answer`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let words = [
      "permessage-deflate", ";", ",", "=", "\"", "\\", " ", "server_max_window_bits", "client_max_window_bits", "9",
      "15", "server_no_context_takeover", "x", "\u{0}", "\u{ff}",
    ]
    for _ in 0..<200 {
      let field = (0..<Int.random(in: 0...12, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }
      guard let answer = Self.answer([field.joined()]) else { continue }
      // Whoever is agreed with has asked for it, and what is agreed on can be offered again.
      #expect(answer.hasPrefix(Self.plain) && field.contains("permessage-deflate"))
      #expect(Self.answer([answer]) == answer)
    }
  }
}
