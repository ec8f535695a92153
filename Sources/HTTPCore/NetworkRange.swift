/// Addresses as operators write them down: `10.0.0.0/8`, `fd00::/8`, or one address alone.
public struct NetworkRange: Hashable, Sendable, CustomStringConvertible {
  private let network: IPAddress
  /// How many of the 128 bits count.
  private let prefix: Int

  /// The bits that stand before every IPv4 address.
  private static let v4Offset = 96

  /// Nil for what is no range: also for `/0`, which is everybody and never meant, and for bits beyond the prefix
  /// (`10.0.0.1/8`), where nobody knows which of the two was meant.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(String(parts[0])) else { return nil }
    guard parts.count == 2 else {
      (network, prefix) = (address, 128)
      return
    }
    let offset = parts[0].utf8.contains(ASCII.colon) ? 0 : Self.v4Offset
    guard
      (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(ASCII.isDigit), let length = Int(parts[1]),
      (1...128 - offset).contains(length), address.masked(length + offset) == address
    else { return nil }
    (network, prefix) = (address, length + offset)
  }

  /// A range of IPv6 never holds an IPv4 address, however few bits of it count.
  public func contains(_ address: IPAddress) -> Bool {
    address.masked(prefix) == network && address.isV4 == network.isV4
  }

  public var description: String {
    guard prefix < 128 else { return network.description }
    return "\(network)/\(network.isV4 ? prefix - Self.v4Offset : prefix)"
  }
}
