import Buffers

extension ByteBuffer {
  /// Appends a time as headers write it, `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 section 5.6.7).
  mutating func append(httpDate unixSeconds: Int64) {
    let days = Int(unixSeconds.floorDivided(by: 86_400))
    let second = Int(unixSeconds - Int64(days) * 86_400)
    let date = CivilDate(daysSinceEpoch: days)
    append(threeLetters: "MonTueWedThuFriSatSun", (days + 3).remainder(floorDividedBy: 7))
    append(", ")
    append(twoDigits: date.day)
    append(UInt8(ascii: " "))
    append(threeLetters: "JanFebMarAprMayJunJulAugSepOctNovDec", date.month - 1)
    append(UInt8(ascii: " "))
    append(decimal: date.year)
    append(UInt8(ascii: " "))
    append(twoDigits: second / 3600)
    append(UInt8(ascii: ":"))
    append(twoDigits: second / 60 % 60)
    append(UInt8(ascii: ":"))
    append(twoDigits: second % 60)
    append(" GMT")
  }

  private mutating func append(twoDigits number: Int) {
    append(48 &+ UInt8(truncatingIfNeeded: number / 10))
    append(48 &+ UInt8(truncatingIfNeeded: number % 10))
  }

  private mutating func append(threeLetters names: StaticString, _ index: Int) {
    for offset in index * 3..<index * 3 + 3 { append(unsafe names.utf8Start[offset]) }
  }
}

/// A day of the proleptic Gregorian calendar.
///
/// The year is counted from March, so that the leap day is its last one and every month starts at a fixed day;
/// 400 years, an era, have 146,097 days.
struct CivilDate {
  let year: Int
  /// 1...12
  let month: Int
  /// 1...31
  let day: Int

  init(daysSinceEpoch: Int) {
    let shifted = daysSinceEpoch + 719_468  // since 0000-03-01
    let dayOfEra = shifted.remainder(floorDividedBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + shifted.floorDivided(by: 146_097) * 400 + (month <= 2 ? 1 : 0)
  }
}

extension SignedInteger {
  fileprivate func floorDivided(by divisor: Self) -> Self {
    self >= 0 ? self / divisor : (self - divisor + 1) / divisor
  }

  fileprivate func remainder(floorDividedBy divisor: Self) -> Self {
    self - floorDivided(by: divisor) * divisor
  }
}
