import RoostServer
import RoostTesting

/// A client by a raw socket that stays until nobody holds it any more.
final class Visit {
  private var client: TestClient
  /// The status of the answer; nil when there was none.
  let status: Int?

  /// - Parameter request: nothing for somebody who connects and is silent.
  init(_ node: Node, from source: UInt8 = 1, _ request: [UInt8] = []) throws {
    var client = try TestClient(port: node.port, source: source)
    try client.send(request)
    status = request.isEmpty ? nil : try client.answer()?.status
    self.client = client
  }

  /// True; asking keeps it here until then.
  var isOpen: Bool { client.isOpen }

  /// Whether a request on the connection is answered.
  func isServed() -> Bool {
    do {
      try client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      return try client.answer()?.status == 200
    } catch {
      return false
    }
  }
}
