import Glibc

/// A moment of the calendar, to the millisecond. For people and logs; durations are measured otherwise, because this
/// clock may jump.
public struct WallTime: Equatable, Sendable {
  public var unixMilliseconds: Int64

  public init(unixMilliseconds: Int64) { self.unixMilliseconds = unixMilliseconds }

  public var unixSeconds: Int64 { unixMilliseconds / 1000 }

  /// RFC 3339 in UTC, such as `2026-11-21T03:50:00.123Z`.
  public var text: String {
    var seconds = time_t(unixMilliseconds / 1000)
    var parts = unsafe tm()
    unsafe gmtime_r(&seconds, &parts)
    let (year, month, day) = unsafe (parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday)
    let (hour, minute, second) = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
    let date = "\(year)-\(Self.digits(month))-\(Self.digits(day))"
    let time = "\(Self.digits(hour)):\(Self.digits(minute)):\(Self.digits(second))"
    return "\(date)T\(time).\(Self.digits(CInt(unixMilliseconds % 1000), 3))Z"
  }

  private static func digits(_ number: CInt, _ width: Int = 2) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

/// The one place that reads the wall clock.
public enum WallClock {
  public static func now() -> WallTime {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return WallTime(unixMilliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }
}
