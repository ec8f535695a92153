import Foundation
import RealtimeCore

/// Where our reading of JSON and Foundation's differ on purpose, and what our scanner says.
///
/// - Depth and keys: ours are 32 and 1,024, Foundation's depth is 512. `tooComplex` is not compared.
/// - Foundation skips a byte order mark and guesses UTF-16 and UTF-32; we take UTF-8 without a mark.
/// - Foundation drops such a mark from the start of any string, keys included; we pass it on.
/// - Foundation refuses numbers that a Double cannot hold; we pass numbers on as text.
/// - Foundation takes a comma before the end of an array or object.
/// - Foundation takes repeated keys; we refuse them at the top level, and a second `room_id` in the payload.
enum JSONDifference {
  /// What our scanner has against `bytes` as one JSON value.
  static func problem(in bytes: [UInt8]) -> JSONProblem? {
    var scanner = JSONScanner()
    do throws(JSONProblem) {
      unsafe scanner.skipSpace(bytes.span.bytes)
      _ = try unsafe scanner.value(bytes.span.bytes)
      try unsafe scanner.finish(bytes.span.bytes)
      return nil
    } catch {
      return error
    }
  }

  /// Whether one of the differences above explains that only one side takes `bytes`.
  static func excuses(_ bytes: [UInt8], _ problem: JSONProblem?) -> Bool {
    if bytes.prefix(4).contains(0) { return true }
    for mark: [UInt8] in [[0xEF, 0xBB, 0xBF], [0xFE, 0xFF], [0xFF, 0xFE]] where bytes.starts(with: mark) { return true }
    return problem == nil ? hasHugeNumber(bytes) : JSONDifference.problem(in: withoutLastCommas(bytes)) != .malformed
  }

  /// Whether a string may begin with a byte order mark, so that Foundation reads another one than we.
  static func holdsMark(_ bytes: [UInt8]) -> Bool { bytes.contains([0xEF, 0xBB, 0xBF]) }

  /// Whether a key stands twice where that matters.
  static func repeatsKey(_ bytes: [UInt8]) -> Bool {
    var scanner = JSONScanner()
    unsafe scanner.skipSpace(bytes.span.bytes)
    return repeatsKey(&scanner, bytes, only: nil)
  }

  private static func repeatsKey(_ scanner: inout JSONScanner, _ bytes: [UInt8], only: [UInt8]?) -> Bool {
    var keys: Set<[UInt8]> = []
    var repeats = false
    do throws(JSONProblem) {
      var next = try unsafe scanner.enterObject(bytes.span.bytes)
      while let key = next {
        let name = unsafe key.decoded(in: bytes.span.bytes)
        if only == nil || name == only, !keys.insert(name).inserted { repeats = true }
        var inner = scanner
        let value = try unsafe scanner.value(bytes.span.bytes)
        if only == nil, name == Array("payload".utf8), bytes[value].first == UInt8(ascii: "{") {
          repeats = repeatsKey(&inner, bytes, only: Array("room_id".utf8)) || repeats
        }
        next = try unsafe scanner.nextKey(bytes.span.bytes)
      }
    } catch {}
    return repeats
  }

  /// An exponent of three digits, or a number of three hundred.
  private static func hasHugeNumber(_ bytes: [UInt8]) -> Bool {
    var digits = 0
    var isExponent = false
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
      case UInt8(ascii: "e"), UInt8(ascii: "E"): (isExponent, digits) = (true, 0)
      case UInt8(ascii: "+"), UInt8(ascii: "-"): digits = 0
      default: (isExponent, digits) = (false, 0)
      }
      if digits >= (isExponent ? 3 : 300) { return true }
    }
    return false
  }

  private static func withoutLastCommas(_ bytes: [UInt8]) -> [UInt8] {
    var kept: [UInt8] = []
    var comma: Int?
    for byte in bytes {
      switch byte {
      case UInt8(ascii: ","): comma = kept.count
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        if let place = comma { kept.remove(at: place) }
        comma = nil
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): break
      default: comma = nil
      }
      kept.append(byte)
    }
    return kept
  }
}
