import COpenSSL
import Glibc

/// Why TLS cannot be set up, in words for the operator. Paths may be in it, keys and passwords never.
public struct TLSFailure: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// OpenSSL's queue of errors: one for each thread, and a stale entry would be taken for an answer.
enum ErrorQueue {
  @inline(__always)
  static func clear() { if ERR_peek_error() != 0 { ERR_clear_error() } }

  /// The first error, which is the cause, and an empty queue. 0: there is none.
  static func take() -> UInt {
    let code = ERR_peek_error()
    ERR_clear_error()
    return code
  }

  static func text(_ code: UInt) -> String {
    guard let reason = unsafe ERR_reason_error_string(code) else { return "unknown error" }
    return unsafe String(cString: reason)
  }
}
