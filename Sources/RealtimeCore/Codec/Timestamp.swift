public import Buffers

/// A moment as clients see it: RFC 3339, UTC, with milliseconds: `2026-11-03T14:05:09.042Z`.
///
/// Formatting happens once, in `init`; a turn of a loop makes one and writes it into all its messages.
public struct Timestamp: Sendable, Equatable {
  /// The years 0000 to 9999 in milliseconds since 1970, which is all that RFC 3339 can write.
  public static let bounds: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

  /// Milliseconds since the start of 1970, leap seconds not counted.
  public let milliseconds: Int64
  private let text: [24 of UInt8]

  /// `milliseconds` is cut to ``bounds``.
  public init(milliseconds: Int64) {
    self.milliseconds = min(max(milliseconds, Self.bounds.lowerBound), Self.bounds.upperBound)
    text = Self.format(self.milliseconds)
  }

  /// Appends the 24 characters, without quotes.
  public func append(to buffer: inout ByteBuffer) { buffer.append(unsafe text.span.bytes) }

  /// Whether `other`, 24 characters like ours, is an earlier moment: the order of the text is that of time.
  func isAfter(_ other: ArraySlice<UInt8>) -> Bool {
    for (place, byte) in other.enumerated() where byte != text[place] { return byte < text[place] }
    return false
  }

  public static func == (left: Self, right: Self) -> Bool { left.milliseconds == right.milliseconds }

  private static func format(_ milliseconds: Int64) -> [24 of UInt8] {
    let (day, time) = floorDivide(milliseconds, by: 86_400_000)
    let date = civil(day: day)
    let moment = UInt32(time)
    var text = [24 of UInt8](repeating: UInt8(ascii: "-"))
    write(date.year, digits: 4, at: 0, into: &text)
    write(date.month, digits: 2, at: 5, into: &text)
    write(date.day, digits: 2, at: 8, into: &text)
    text[10] = UInt8(ascii: "T")
    write(moment / 3_600_000, digits: 2, at: 11, into: &text)
    text[13] = UInt8(ascii: ":")
    write(moment / 60_000 % 60, digits: 2, at: 14, into: &text)
    text[16] = UInt8(ascii: ":")
    write(moment / 1_000 % 60, digits: 2, at: 17, into: &text)
    text[19] = UInt8(ascii: ".")
    write(moment % 1_000, digits: 3, at: 20, into: &text)
    text[23] = UInt8(ascii: "Z")
    return text
  }

  /// The proleptic Gregorian date of a day counted from 1970-01-01.
  ///
  /// Years are counted from March, so that the leap day is a year's last: then a month's first day is a linear
  /// function of its number, and 400 years always have 146,097 days.
  private static func civil(day: Int64) -> (year: UInt32, month: UInt32, day: UInt32) {
    let daysFromMarchOfYear0: Int64 = 719_468
    let (era, rest) = floorDivide(day + daysFromMarchOfYear0, by: 146_097)
    let dayOfEra = UInt32(rest)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = era * 400 + Int64(yearOfEra) + (month <= 2 ? 1 : 0)
    return (UInt32(year), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  private static func floorDivide(_ number: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  private static func write(_ number: UInt32, digits: Int, at start: Int, into text: inout [24 of UInt8]) {
    var rest = number
    var index = start + digits
    while index > start {
      index -= 1
      text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}
