import Buffers

/// A call to the API by somebody who may make it, while its body comes and until it is answered.
struct APICall {
  enum Kind: Sendable {
    case revoke, disconnectUser, drainNode

    var body: Body {
      switch self {
      case .revoke: .required
      case .disconnectUser, .drainNode: .optional
      }
    }
  }

  /// Whether there is a body; where there is one, it is JSON.
  enum Body { case required, optional }

  let kind: Kind
  /// What stands in the places of its path.
  let names: [String]
  /// Bytes of the body, as announced and allowed.
  let bodyBytes: Int
  /// Wants to be told to go on before it sends the body.
  let expectsGoAhead: Bool
  private(set) var body: [UInt8] = []

  init(_ kind: Kind, names: [String], bodyBytes: Int, expectsGoAhead: Bool) {
    (self.kind, self.names, self.bodyBytes, self.expectsGoAhead) = (kind, names, bodyBytes, expectsGoAhead)
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
