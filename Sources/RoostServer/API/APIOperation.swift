import HTTPCore

/// One call of the API: how it is made, and how its answer looks. The routes, the description at
/// `/api/openapi.json` and `docs/openapi.json` come from ``all``, and a test holds `docs/API.md` to it.
struct APIOperation: Sendable {
  enum Kind: CaseIterable, Sendable {
    case publish, broadcast, sendToUser, notifyUser
    case rooms, room, history, user, nodes, slow, debug
    case disconnectUser, revoke, drainNode
  }

  /// A parameter of the query.
  struct Parameter: Sendable {
    let name: String
    let schema: Schema
    let meaning: String
  }

  /// Whether there is a body; where there is one, it is JSON.
  enum Body: Sendable {
    case none
    case optional(Schema)
    case required(Schema)

    var schema: Schema? {
      switch self {
      case .none: nil
      case .optional(let schema), .required(let schema): schema
      }
    }

    var isRequired: Bool { if case .required = self { true } else { false } }
  }

  let kind: Kind
  let method: Method
  /// With places for names: `/api/rooms/{room}`.
  let path: String
  let summary: String
  var parameters: [Parameter] = []
  var body = Body.none
  /// What it is answered with when all is well …
  var success = Status.ok
  /// … and what that looks like.
  let answer: Schema
  /// Refusals of this call alone.
  var refusals: [Status] = []

  /// Every status that the call is answered with.
  var statuses: [Status] {
    let always: [Status] = [
      success, .badRequest, .unauthorized, .forbidden, .requestTimeout, .uriTooLong, .tooManyRequests,
      .requestHeaderFieldsTooLarge, .serviceUnavailable, .httpVersionNotSupported,
    ]
    let withBody: [Status] = [
      .lengthRequired, .contentTooLarge, .unsupportedMediaType, .expectationFailed, .notImplemented,
    ]
    return (refusals + (body.schema == nil ? always : always + withBody)).sorted { $0.rawValue < $1.rawValue }
  }
}
