import COpenSSL

/// Bytes nobody can guess, from OpenSSL's generator: for secrets, keys and incarnations.
public enum SecureRandom {
  /// Stops the process when the system has no randomness to give: nothing safe can go on from there.
  public static func bytes(_ count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
      unsafe precondition(RAND_bytes(bytes.baseAddress, CInt(count)) == 1, "no randomness")
      filled = count
    }
  }

  /// `byteCount` random bytes as lower-case hexadecimal digits.
  public static func hex(byteCount: Int) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes(byteCount).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// `byteCount` random bytes as base64url, such as a secret of 32.
  public static func base64URL(byteCount: Int) -> String { Base64URL.encode(bytes(byteCount)) }
}
