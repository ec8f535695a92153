import Buffers
import EventLoops
import HTTPCore
import Telemetry
import Transport

// What TLS adds to a connection. Nothing here is reached for one in the clear.
extension ShardCore {
  /// The handshake of TLS failed, or did not end in time.
  mutating func refuseTLS(_ slot: UInt32) {
    refused(.tls)
    log.debug("TLS handshake failed", ["reason": .string(connections[slot].socket.failure ?? "the peer is gone")])
    guard connections[slot].socket.peerSpeaksHTTP else { return destroy(slot) }
    connections[slot].socket.giveUpTLS()
    connections[slot].flags.insert(.closesAfterAnswer)
    answer(slot, .error(.badRequest, "this port speaks TLS: use https or wss"))
  }

  /// There is room for what TLS of its own accord has to send: a handshake, for the most part.
  mutating func moveTLS(_ slot: UInt32) {
    connections[slot].socket.flush()
    if connections[slot].isRead { return receive(slot) }
    followTLS(slot)
  }

  /// After anything that may have changed what TLS waits for, or what it holds.
  mutating func followTLS(_ slot: UInt32) {
    if connections[slot].socket.hasChangedNeeds { setInterest(slot) }
    if connections[slot].socket.holdsMore { unread.append(connections.key(of: slot)) }
  }

  /// Reads what no event tells of, unless its client is not read just now; reading again asks for this again.
  mutating func readOn() {
    var keys: [Slab<Connection>.Key] = []
    swap(&keys, &unread)
    for key in keys where connections.contains(key) && connections[key.slot].socket.holdsMore {
      if connections[key.slot].isRead { receive(key.slot) }
    }
  }
}
