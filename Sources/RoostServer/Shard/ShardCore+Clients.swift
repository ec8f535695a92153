import Buffers
import EventLoops
import HTTPCore
import RealtimeCore
import Transport

// Whose connections and requests these are: what limits per address count.
extension ShardCore {
  /// Reads what a trusted proxy says about a connection before the connection's own bytes: exactly that, so that the
  /// rest is there for whoever reads next.
  mutating func receiveProxyHeader(_ slot: UInt32) {
    guard var buffer = input.take() else { preconditionFailure("received while receiving") }
    buffer.start(with: connections[slot].leftover.bytes)
    let kept = buffer.count
    var space = buffer.space(atMost: ProxyHeader.byteLimit)
    let result = connections[slot].socket.peek(into: &space)
    switch result {
    case .done(let count):
      buffer.fill(count)
      proxySaid(slot, &buffer, kept: kept)
    case .wouldBlock: break
    case .endOfStream, .failed: destroy(slot)
    }
    input = consume buffer
  }

  /// - Parameter kept: so many of the bytes were taken off the stream before.
  private mutating func proxySaid(_ slot: UInt32, _ buffer: inout ReceiveBuffer, kept: Int) {
    let content = buffer.content
    let bytes = content.bytes
    do {
      guard let header = try ProxyHeader.parse(bytes) else {
        connections[slot].socket.discard(bytes.byteCount - kept)
        connections[slot].leftover.append(bytes.extracting(kept..<bytes.byteCount))
        return
      }
      connections[slot].socket.discard(header.byteCount - kept)
      connections[slot].leftover.release()
      connections[slot].flags.remove(.awaitsProxyHeader)
      guard let source = header.source else { return }
      // A proxy behind the proxy may have more to say.
      if context.trusts(source) { connections[slot].flags.insert(.isFromProxy) }
      guard !isTold(settle(slot, at: source)) else { return }
    } catch {
      refused(.proxyHeader)
    }
    connections[slot].socket.resetOnClose()
    destroy(slot)
  }

  /// The connection is this client's from now on.
  private mutating func settle(_ slot: UInt32, at address: IPAddress) -> Arrival {
    let arrival = context.move(connections[slot].address, to: address)
    connections[slot].address = arrival.entry
    connections[slot].flags.remove(.isOverAddressLimit)
    if arrival.verdict != .welcome { connections[slot].flags.insert(.isOverAddressLimit) }
    return arrival
  }

  /// Counts a handshake for its client. False when he has too many connections, or makes them too fast.
  mutating func arrive(_ slot: UInt32, _ head: RequestHead, _ bytes: RawSpan) -> Bool {
    if let client = forwardedClient(slot, head, bytes) { return settle(slot, at: client).verdict == .welcome }
    return mayAsk(slot, head, bytes)
  }

  /// Counts a request for its sender. The first one of a connection was counted when that came; others cost as much.
  mutating func mayAsk(_ slot: UInt32, _ head: RequestHead, _ bytes: RawSpan) -> Bool {
    guard !connections[slot].flags.contains(.isOverAddressLimit) else { return false }
    // Connections that a proxy keeps are nobody's: the request is counted, the connection is not.
    if let client = forwardedClient(slot, head, bytes) { return context.mayAsk(client) }
    let isProxy = connections[slot].flags.contains(.isFromProxy)
    return isProxy || !connections[slot].flags.contains(.hasServed) || context.mayAsk(connections[slot].address)
  }

  /// Puts a call of the API down to its caller, so that what he gets wrong is not a proxy's doing. Calls have limits of
  /// their own.
  mutating func noteCaller(_ slot: UInt32, _ head: RequestHead, _ bytes: RawSpan) {
    guard let client = forwardedClient(slot, head, bytes), !context.isEntry(connections[slot].address, of: client)
    else { return }
    _ = settle(slot, at: client)
    connections[slot].flags.remove(.isOverAddressLimit)
  }

  /// Nil for a connection of the client's own, and for requests that a proxy makes for itself.
  private func forwardedClient(_ slot: UInt32, _ head: RequestHead, _ bytes: RawSpan) -> IPAddress? {
    guard connections[slot].flags.contains(.isFromProxy) else { return nil }
    return head.forwardedClient(in: bytes, proxies: context.configuration.trustedProxies)
  }
}
