import Testing

@Suite struct FunctionLengthTests {
  private func lengths(_ text: String) -> [String: Int] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return Dictionary(
      FunctionLength.all(in: lines).map { ($0.name, $0.lineCount) }, uniquingKeysWith: { first, _ in first })
  }

  @Test func `counts bodies and passes over requirements`() {
    let text = """
      protocol P {
        func promised(_ a: Int) throws(E) -> Int
        func promisedToo(
          a: Int
        )
        init?(text: String)
      }
      struct S {
        public init() {}
        var area: Int {
          width * height
        }
        var width = 1
        @inline(never) public mutating func grow(by n: Int) {
          if n > 0 {
            width += n
          }
        }
        static func make(
          width: Int,
          height: Int
        ) -> S {
          S()
        }
        deinit {
          free()
        }
        func `in words`() -> String { "S" }
      }
      """
    #expect(lengths(text) == ["area": 3, "grow": 5, "make": 6, "deinit": 3])
  }
}
