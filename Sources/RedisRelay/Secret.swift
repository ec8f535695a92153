/// Digits that nobody can guess, from the system's generator.
enum Secret {
  static func hexadecimal(digits: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    return String((0..<digits).map { _ in Self.digits[Int(generator.next(upperBound: UInt(16)))] })
  }

  private static let digits = Array("0123456789abcdef")
}
