import CSystem
import Glibc

/// A failed system call: which one, and why.
public struct SystemError: Error, Equatable, CustomStringConvertible {
  public let call: String
  /// The `errno` value.
  public let code: CInt

  public init(call: String, code: CInt) { (self.call, self.code) = (call, code) }

  public var description: String { unsafe "\(call): \(String(cString: strerror(code)))" }
}

/// What a non-blocking call gave back.
public enum IOResult: Equatable, Sendable {
  case done(Int)
  case wouldBlock
  /// The peer will send no more (only from receiving).
  case endOfStream
  /// The connection is of no more use; the `errno` value says why.
  case failed(CInt)
}

/// Makes a call whose failure is the caller's to report; retries `EINTR`.
func systemCall(_ name: StaticString, _ body: () -> CInt) throws(SystemError) -> CInt {
  while true {
    let result = body()
    if result >= 0 { return result }
    let code = errno  // before anything else can overwrite it
    if code != EINTR { throw SystemError(call: "\(name)", code: code) }
  }
}

/// Turns the result of a non-blocking transfer into an ``IOResult``; `nil` asks the caller to try again.
@inline(__always)
func ioResult(_ transferred: Int) -> IOResult? {
  if transferred >= 0 { return .done(transferred) }
  let code = errno
  switch code {
  case EINTR: return nil
  case EAGAIN: return .wouldBlock
  case EBADF, EFAULT: preconditionFailure("the kernel was given a bad argument")
  default: return .failed(code)
  }
}

/// Milliseconds on the monotonic clock: for deadlines and intervals, never shown to anybody.
public func monotonicMilliseconds() -> Int64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
}

/// Nanoseconds on the monotonic clock: for measuring.
public func monotonicNanoseconds() -> Int64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Milliseconds since 1970, UTC: for timestamps, never for deadlines.
public func wallClockMilliseconds() -> Int64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
}

/// Raises the soft limit of open descriptors to the hard one and returns it.
@discardableResult
public func raiseDescriptorLimit() -> Int {
  var limit = rlimit()
  unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  limit.rlim_cur = limit.rlim_max
  unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  return Int(clamping: limit.rlim_cur)
}
