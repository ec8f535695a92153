public import EventLoops
import Glibc
public import RedisRelay

/// A wire over a simulated network.
public final class SimulatedWire: RedisWire {
  private let network: Network
  private let name: String
  private let whenReady: (_ isReadable: Bool) -> Void
  private(set) var link: Link?

  /// - Parameter whenReady: called when the relay must be told that this wire has something.
  public init(network: Network, name: String, whenReady: @escaping (Bool) -> Void) {
    (self.network, self.name, self.whenReady) = (network, name, whenReady)
  }

  public func connect(to address: Address) throws(SystemError) {
    link?.close()
    link = network.open(name) { [weak self] isReadable in self?.whenReady(isReadable) }
  }

  public func finishConnecting() throws(SystemError) -> Bool {
    if link?.phase == .refused { throw SystemError(call: "connect", code: ECONNREFUSED) }
    return true
  }

  public func receive(into buffer: inout MutableRawSpan) -> IOResult {
    guard let link else { return .wouldBlock }
    guard !link.inbox.isEmpty else { return link.phase == .lost ? .endOfStream : .wouldBlock }
    let count = min(link.inbox.count, buffer.byteCount)
    unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: link.inbox[..<count]) }
    link.inbox.removeFirst(count)
    return .done(count)
  }

  public func send(_ bytes: borrowing RawSpan) -> IOResult {
    guard let link else { return .wouldBlock }
    guard link.phase != .lost else { return .failed(EPIPE) }
    link.send(unsafe bytes.withUnsafeBytes { unsafe Array($0) })
    return .done(bytes.byteCount)
  }

  public func watch(writing: Bool) {}
  public var holdsMore: Bool { false }
  public var failure: String? { nil }

  public func close() {
    link?.close()
    link = nil
  }
}
