import Glibc
import HTTPCore
import RoostTesting
import Testing

@Suite struct IPAddressTests {
  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
    ("::1", "::1"), ("1::", "1::"), ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
    ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"), ("::ffff:10.1.2.3", "10.1.2.3"), ("::FFFF:0a01:0203", "10.1.2.3"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("fe80::1", "fe80::1"),
  ])
  func `addresses are read and shown`(text: String, shown: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == shown)
    #expect(IPAddress(shown) == address)
  }

  @Test(arguments: [
    "", " ", "1", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1.2.3.4.5", "1..2.3", "256.1.1.1", "1.2.3.04", "00.0.0.0",
    "1.2.3.+4",
    "1.2.3.4 ", " 1.2.3.4", "0x7f.0.0.1", "1.2.3.4/8", "1.2.3.4:80", ":", ":::", "::1::", "1:2:3:4:5:6:7", "1::2::3",
    "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", ":1", "1:", "1:2:3:4:5:6:7:", "12345::", "g::",
    "fe80::1%eth0", "[::1]", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "localhost",
    "::ffff:1.2.3.256",
  ])
  func `what is no address is none`(text: String) { #expect(IPAddress(text) == nil) }

  /// The system's reader is the judge, leading zeros excepted, which it takes in IPv4 tails of some versions.
  @Test(arguments: 0..<2_000 as Range<UInt64>)
  func `is read as the system reads it`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let letters = Array("0123456789abcdefF::::....")
    let text = String(
      (0..<Int.random(in: 2...20, using: &generator)).map { _ in letters.randomElement(using: &generator)! })
    var (v4, v6) = (in_addr(), in6_addr())
    let isV4 = unsafe inet_pton(AF_INET, text, &v4) == 1
    let isV6 = unsafe inet_pton(AF_INET6, text, &v6) == 1
    let address = IPAddress(text)
    #expect((address != nil) == (isV4 || isV6), "\(text)")
    if isV4 { #expect(address == IPAddress(v4: UInt32(bigEndian: v4.s_addr))) }
  }

  @Test(arguments: 0..<500 as Range<UInt64>)
  func `comes back from its own text and the system's`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    // Few bits, so that runs of zeros are frequent.
    let groups = (0..<8).map { _ in
      Bool.random(using: &generator) ? 0 : UInt64.random(in: 0...0xFFFF, using: &generator)
    }
    let address = IPAddress(
      high: groups[..<4].reduce(0) { $0 << 16 | $1 }, low: groups[4...].reduce(0) { $0 << 16 | $1 })
    #expect(IPAddress(address.description) == address)
    var (number, text) = (in6_addr(), [CChar](repeating: 0, count: 64))
    #expect(unsafe inet_pton(AF_INET6, groups.map { String($0, radix: 16) }.joined(separator: ":"), &number) == 1)
    unsafe inet_ntop(AF_INET6, &number, &text, 64)
    let shown = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #expect(IPAddress(shown) == address)
    if !shown.contains(".") { #expect(address.description == shown) }
  }

  @Test func `a household is an address of IPv4 and a network of IPv6`() throws {
    #expect(IPAddress("10.0.0.1")?.household == IPAddress("10.0.0.1"))
    #expect(IPAddress("::ffff:10.0.0.1")?.household == IPAddress("10.0.0.1"))
    #expect(IPAddress("2001:db8:1:2:3:4:5:6")?.household == IPAddress("2001:db8:1:2::"))
    #expect(IPAddress("2001:db8:1:2::1")?.household != IPAddress("2001:db8:1:3::1")?.household)
  }

  @Test(
    arguments: [
      ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.1.1"], ["9.255.255.255", "11.0.0.0", "::a00:1"]),
      ("192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.0", "192.0.2.2"]),
      ("192.0.2.1/32", ["192.0.2.1"], ["192.0.2.0"]),
      ("192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]),
      ("::ffff:10.0.0.0/104", ["10.9.9.9"], ["11.0.0.0"]), ("::1", ["::1"], ["::2", "0.0.0.1", "127.0.0.1"]),
      ("fd00::/8", ["fd00::1", "fdff::"], ["fc00::", "fe00::", "253.0.0.1"]),
      ("2001:db8::/33", ["2001:db8:7fff::1"], ["2001:db8:8000::"]),
      (
        "2001:db8::/65", ["2001:db8::7fff:0:0:0"],
        ["2001:db8::8000:0:0:0"]
      ), ("::/1", ["1::"], ["10.0.0.1", "8000::"]),
    ] as [(String, [String], [String])])
  func `a range holds what it says`(text: String, inside: [String], outside: [String]) throws {
    let range = try #require(NetworkRange(text))
    for address in inside { #expect(range.contains(try #require(IPAddress(address))), "\(address)") }
    for address in outside { #expect(!range.contains(try #require(IPAddress(address))), "\(address)") }
    #expect(NetworkRange(range.description) == range)
  }

  @Test(arguments: [
    "", "/", "/8", "10.0.0.0/", "10.0.0.0/0", "::/0", "10.0.0.0/33", "::/129", "10.0.0.1/8", "fd00::1/8",
    "10.0.0.0/08/",
    "10.0.0.0/+8", "10.0.0.0/-8", "10.0.0.0/8.0", "10.0.0.0/255.0.0.0", "host/8", "10.0.0.0 /8", "fd00::/0008",
  ])
  func `what is no range, or everybody, or unclear, is none`(text: String) { #expect(NetworkRange(text) == nil) }
}
