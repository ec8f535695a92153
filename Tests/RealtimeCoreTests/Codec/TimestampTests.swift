import Buffers
import Foundation
import RealtimeCore
import RoostTesting
import Testing

@Suite struct TimestampTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"),
      (-1, "1969-12-31T23:59:59.999Z"),
      (951_782_399_999, "2000-02-28T23:59:59.999Z"),
      (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
      (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
      (1_793_714_709_042, "2026-11-03T14:05:09.042Z"),
      (Timestamp.bounds.lowerBound, "0000-01-01T00:00:00.000Z"),
      (Timestamp.bounds.upperBound, "9999-12-31T23:59:59.999Z"),
      (.min, "0000-01-01T00:00:00.000Z"),
      (.max, "9999-12-31T23:59:59.999Z"),
    ] as [(Int64, String)])
  func `known moments`(milliseconds: Int64, text: String) {
    #expect(written(milliseconds) == text)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `agrees with Foundation`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = .gmt
    for _ in 0..<100 {
      // From the year 1600 on: before 1582 Foundation's calendars turn Julian and ours does not.
      let milliseconds = Int64.random(in: -11_670_000_000_000...Timestamp.bounds.upperBound, using: &generator)
      let seconds = milliseconds >= 0 ? milliseconds / 1_000 : (milliseconds - 999) / 1_000
      let date = Date(timeIntervalSince1970: Double(seconds))
      let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
      let fields = [parts.month, parts.day, parts.hour, parts.minute, parts.second].map { padded($0 ?? -1, 2) }
      let thousandths = padded(Int(milliseconds - seconds * 1_000), 3)
      let day = "\(padded(parts.year ?? -1, 4))-\(fields[0])-\(fields[1])"
      let text = "\(day)T\(fields[2]):\(fields[3]):\(fields[4]).\(thousandths)Z"
      #expect(written(milliseconds) == text)
    }
  }

  private func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private func written(_ milliseconds: Int64) -> String {
    var buffer = ByteBuffer()
    Timestamp(milliseconds: milliseconds).append(to: &buffer)
    return String(decoding: buffer.array(), as: UTF8.self)
  }
}
