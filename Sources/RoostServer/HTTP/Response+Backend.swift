import HTTPCore
import RealtimeCore

extension Response {
  /// What a backend is told about its wish.
  static func backend(_ answer: BackendAnswer) -> Response {
    switch answer {
    case .revoked: return json(.ok, #"{"revoked":true}"#)
    case .revokedHere:
      var response = json(.accepted, #"{"revoked":true,"scope":"node"}"#)
      response.add("Roost-Scope", "node")
      return response
    case .tooManyRevocations: return .error(.serviceUnavailable, "too many revocations")
    case .disconnected(let connections, let isPartial):
      return json(.ok, #"{"connections":\#(connections)\#(isPartial ? #","partial":true"# : "")}"#)
    }
  }

  private static func json(_ status: Status, _ text: String) -> Response {
    Response(status, contentType: .json, body: Array(text.utf8))
  }
}
