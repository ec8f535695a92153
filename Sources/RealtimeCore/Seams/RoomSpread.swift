/// Which of several servers a room is on, by rendezvous hashing: every server bids for the room, the highest wins. One
/// more server takes its share from all the others and moves no other room.
///
/// Servers are known by their place in the list and not by their address, which may differ from node to node.
public struct RoomSpread: Sendable, Equatable {
  /// At least 1.
  public let servers: Int

  public init(servers: Int) {
    precondition(servers >= 1)
    self.servers = servers
  }

  /// 0 to ``servers`` − 1.
  public func server(of room: RoomName) -> Int {
    guard servers > 1 else { return 0 }
    // FNV-1a, 64 bits.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in room.text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var (winner, highest) = (0, UInt64.min)
    for server in 0..<servers {
      let bid = Self.mixed(hash &+ UInt64(server + 1) &* 0x9E37_79B9_7F4A_7C15)
      if bid > highest { (winner, highest) = (server, bid) }
    }
    return winner
  }

  /// The finish of SplitMix64 (Steele et al. 2014).
  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
