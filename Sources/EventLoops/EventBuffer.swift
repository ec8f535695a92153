import CSystem
import Glibc

/// The events of one wait, in memory that is used again by every turn.
@safe
public struct EventBuffer: ~Copyable {
  /// One ready descriptor.
  public struct Event: Sendable {
    public let token: UInt64
    private let flags: UInt32

    init(_ event: epoll_event) { unsafe (token, flags) = (event.data.u64, event.events) }

    /// There is something to read, an end of stream and an error included: reading tells which.
    public var isReadable: Bool { flags & ~EPOLLOUT.rawValue != 0 }
    public var isWritable: Bool { flags & EPOLLOUT.rawValue != 0 }
    /// Both directions are gone.
    public var isHangUp: Bool { flags & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
  }

  private let memory: UnsafeMutablePointer<epoll_event>
  private let capacity: Int
  public private(set) var count = 0

  public init(capacity: Int = 1_024) {
    unsafe memory = .allocate(capacity: capacity)
    self.capacity = capacity
  }

  deinit { unsafe memory.deallocate() }

  public subscript(index: Int) -> Event {
    precondition(index < count)
    return unsafe Event(memory[index])
  }

  mutating func fill(_ wait: (UnsafeMutablePointer<epoll_event>, CInt) -> CInt) {
    count = unsafe max(0, Int(wait(memory, CInt(capacity))))
  }

  /// Takes the event with `token` out; order does not matter within one wait.
  mutating func removeFirst(token: UInt64) -> Bool {
    for index in 0..<count where unsafe memory[index].data.u64 == token {
      count -= 1
      unsafe memory[index] = memory[count]
      return true
    }
    return false
  }
}
