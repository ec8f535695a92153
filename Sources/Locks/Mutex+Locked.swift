public import Synchronization

#if THREAD_SANITIZER
  import CSystem
#endif

extension Mutex where Value: ~Copyable {
  /// `withLock`, in a form that the thread sanitizer can follow.
  ///
  /// The toolchain's library is built without the sanitizer: what a contended lock does there goes unseen, and what
  /// runs under it looks unordered. Builds for the sanitizer say themselves that one holder comes after the other.
  public borrowing func locked<Result>(_ body: (inout sending Value) -> sending Result) -> sending Result {
    #if THREAD_SANITIZER
      // A mutex never moves, so its address names it.
      let address = unsafe withUnsafePointer(to: self) { UInt(bitPattern: $0) }
      return withLock { value in
        unsafe __tsan_acquire(UnsafeMutableRawPointer(bitPattern: address))
        defer { unsafe __tsan_release(UnsafeMutableRawPointer(bitPattern: address)) }
        return body(&value)
      }
    #else
      return withLock(body)
    #endif
  }
}
