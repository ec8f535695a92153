import Buffers

/// SHA-1 of at most 64 bytes (FIPS 180-4, section 6.1).
///
/// RFC 6455, section 4.2.2, uses it once per handshake, to show that the server read the request and is not some
/// other program that answers anything. No secret is involved, so it being broken as a security primitive does not
/// matter here; nothing else may use it. Written out because the pure targets do not link OpenSSL.
func sha1(_ message: borrowing RawSpan) -> InlineArray<20, UInt8> {
  precondition(message.byteCount <= 64, "only for handshake keys")
  var hash: InlineArray<5, UInt32> = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
  // The message is followed by a one bit, zeros, and its length in bits, to full blocks of 64 bytes.
  for block in 0...(message.byteCount + 8) / 64 {
    var schedule = InlineArray<80, UInt32>(repeating: 0)
    for index in 0..<64 {
      schedule[index / 4] = schedule[index / 4] << 8 | UInt32(padded(message, block * 64 + index))
    }
    add(&schedule, to: &hash)
  }
  return InlineArray { UInt8(truncatingIfNeeded: hash[$0 / 4] >> (24 - 8 * UInt32($0 % 4))) }
}

private func padded(_ message: borrowing RawSpan, _ index: Int) -> UInt8 {
  if index < message.byteCount { return message.byte(at: index) }
  if index == message.byteCount { return 0x80 }
  let end = ((message.byteCount + 8) / 64 + 1) * 64
  // At most 512 bits: the length never needs more than two bytes.
  return index < end - 2 ? 0 : UInt8(truncatingIfNeeded: (message.byteCount * 8) >> (8 * (end - 1 - index)))
}

/// One block: `schedule` holds its sixteen words and room for the other 64.
private func add(_ schedule: inout InlineArray<80, UInt32>, to hash: inout InlineArray<5, UInt32>) {
  for index in 16..<80 {
    let word = schedule[index - 3] ^ schedule[index - 8] ^ schedule[index - 14] ^ schedule[index - 16]
    schedule[index] = rotateLeft(word, 1)
  }
  var (a, b, c, d, e) = (hash[0], hash[1], hash[2], hash[3], hash[4])
  for index in 0..<80 {
    let (mixed, constant): (UInt32, UInt32) =
      switch index {
      case ..<20: (b & c | ~b & d, 0x5A82_7999)
      case ..<40: (b ^ c ^ d, 0x6ED9_EBA1)
      case ..<60: (b & c | b & d | c & d, 0x8F1B_BCDC)
      default: (b ^ c ^ d, 0xCA62_C1D6)
      }
    let next = rotateLeft(a, 5) &+ mixed &+ e &+ constant &+ schedule[index]
    (a, b, c, d, e) = (next, a, rotateLeft(b, 30), c, d)
  }
  hash[0] &+= a
  hash[1] &+= b
  hash[2] &+= c
  hash[3] &+= d
  hash[4] &+= e
}

private func rotateLeft(_ word: UInt32, _ bits: UInt32) -> UInt32 { word << bits | word >> (32 - bits) }
