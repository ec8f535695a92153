import Buffers

/// A call to the API by somebody who may make it, while its body comes and until it is answered.
struct APICall {
  let operation: APIOperation
  /// What stands in the places of its path.
  let names: [String]
  /// What its query says, of ``APIOperation/parameters``.
  let parameters: [String: String]
  /// Bytes of the body, as announced and allowed.
  let bodyBytes: Int
  /// Wants to be told to go on before it sends the body.
  let expectsGoAhead: Bool
  private(set) var body: [UInt8] = []

  init(
    _ operation: APIOperation, names: [String], parameters: [String: String] = [:], bodyBytes: Int = 0,
    expectsGoAhead: Bool = false
  ) {
    (self.operation, self.names, self.parameters) = (operation, names, parameters)
    (self.bodyBytes, self.expectsGoAhead) = (bodyBytes, expectsGoAhead)
  }

  var isComplete: Bool { body.count == bodyBytes }

  /// Takes what belongs to the body from the front of `bytes`; answers how much that was.
  mutating func take(_ bytes: RawSpan) -> Int {
    let count = min(bodyBytes - body.count, bytes.byteCount)
    if body.isEmpty { body.reserveCapacity(bodyBytes) }
    unsafe bytes.extracting(0..<count).withUnsafeBytes { unsafe body.append(contentsOf: $0) }
    return count
  }

  /// Gives the body's memory back, once it is understood.
  mutating func forgetBody() { body = [] }
}
