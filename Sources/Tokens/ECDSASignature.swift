import COpenSSL

/// The two forms of an ECDSA signature: tokens hold r and s side by side, each as long as the curve's field (RFC 7518
/// section 3.4); OpenSSL speaks DER.
enum ECDSASignature {
  /// The DER form of `raw`, whose halves are r and s; of at most 2 × 48 bytes, so every length fits one byte.
  static func der(raw: [UInt8]) -> [UInt8] {
    let half = raw.count / 2
    let numbers = integer(raw[..<half]) + integer(raw[half...])
    return [0x30, UInt8(numbers.count)] + numbers
  }

  /// The shortest two's complement form, as DER wants it.
  private static func integer(_ number: ArraySlice<UInt8>) -> [UInt8] {
    var digits = Array(number.drop { $0 == 0 })
    if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
    return [0x02, UInt8(digits.count)] + digits
  }

  /// r and s of `length` bytes each.
  static func raw(der: [UInt8], length: Int) -> [UInt8] {
    let signature = unsafe der.withUnsafeBufferPointer { der in
      var start = der.baseAddress
      return unsafe d2i_ECDSA_SIG(nil, &start, der.count)
    }
    defer { unsafe ECDSA_SIG_free(signature) }
    var raw = [UInt8](repeating: 0, count: 2 * length)
    unsafe raw.withUnsafeMutableBufferPointer { raw in
      _ = unsafe BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw.baseAddress, CInt(length))
      _ = unsafe BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw.baseAddress! + length, CInt(length))
    }
    return raw
  }
}
