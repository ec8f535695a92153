import HTTPCore
import Testing

@testable import RoostServer

@Suite("Addresses")
struct AddressTableTests {
  private let a = IPAddress(v4: 1)
  private let b = IPAddress(v4: 2)

  @Test func `connections of an address are counted until they go`() {
    var table = AddressTable(limit: 2, perSecond: 1_000)
    let verdicts = (0..<19).map { _ in table.add(a, nanoseconds: 0).1 }
    #expect(verdicts[..<2] == [.welcome, .welcome])
    #expect(verdicts[2..<18].allSatisfy { $0 == .refused } && verdicts[18] == .dropped)
    let (other, verdict) = table.add(b, nanoseconds: 0)
    #expect(verdict == .welcome)
    table.remove(other)
    let (entry, _) = table.add(a, nanoseconds: 0)
    for _ in 0..<19 { table.remove(entry) }
    let again = table.add(a, nanoseconds: 0).1
    #expect(again == .welcome)
  }

  @Test func `the rate of an address outlives its connections`() {
    var table = AddressTable(limit: 100, perSecond: 1)
    for _ in 0..<4 { table.remove(table.add(a, nanoseconds: 0).0) }
    let (soon, later) = (table.add(a, nanoseconds: 0).1, table.add(a, nanoseconds: 10_000_000_000).1)
    #expect(soon == .refused && later == .welcome)
  }

  @Test func `few refusals are worth a handshake`() {
    var table = AddressTable(limit: 1, perSecond: 1_000)
    let entry = table.add(a, nanoseconds: 0).0
    let told = (0..<6).map { _ in table.extendCourtesy(entry, nanoseconds: 0) }
    #expect(told == [true, true, true, true, false, false])
    let (soon, later) = (
      table.extendCourtesy(entry, nanoseconds: 9_000_000_000), table.extendCourtesy(entry, nanoseconds: 11_000_000_000)
    )
    #expect(!soon && later)
  }

  @Test func `requests and connections share one rate`() {
    var table = AddressTable(limit: 100, perSecond: 1)
    let (entry, _) = table.add(a, nanoseconds: 0)
    let verdicts = [
      table.ask(entry, nanoseconds: 0), table.ask(a, nanoseconds: 0), table.ask(entry, nanoseconds: 0),
      table.ask(a, nanoseconds: 0), table.add(a, nanoseconds: 0).1, table.ask(b, nanoseconds: 0),
    ]
    #expect(verdicts == [.welcome, .welcome, .welcome, .refused, .refused, .welcome])
  }

  @Test func `a network of IPv6 is one address, and a proxy in it another`() throws {
    var table = AddressTable(limit: 1, perSecond: 1_000)
    let addresses = try ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map { try #require(IPAddress($0)) }
    for _ in 0..<9 {
      let verdict = table.add(addresses[0], isLimited: false, nanoseconds: 0).1
      #expect(verdict == .welcome)
    }
    let verdicts = addresses.map { table.add($0, nanoseconds: 0).1 }
    #expect(verdicts == [.welcome, .refused, .welcome])
  }

  @Test func `a flood of addresses is forgotten`() {
    var table = AddressTable(limit: 100, perSecond: 1)
    let (guest, _) = table.add(IPAddress(v4: .max), nanoseconds: 0)
    for number in 0..<50_000 {
      let now = Int64(number) * 1_000
      table.remove(table.add(IPAddress(v4: UInt32(number)), nanoseconds: now).0)
      _ = table.ask(IPAddress(high: UInt64(number) << 8, low: 7), nanoseconds: now)
    }
    #expect(table.count <= 10_001)
    #expect(table.address(of: guest) == IPAddress(v4: .max))
  }
}
