import Buffers
import HTTPCore
import RealtimeCore

extension Response {
  /// What a backend is told about its wish. For what must hold everywhere, 200 only when it is done on every node.
  /// Wishing again does no harm.
  ///
  /// - Parameter retryAfter: seconds.
  static func backend(_ answer: BackendAnswer, retryAfter: Int) -> Response {
    switch answer {
    case .revoked: json(#"{"revoked":true}"#)
    case .revokedHere:
      unavailable("revoked on this node; the others cannot be told now", retryAfter: retryAfter, keepAlive: true)
    case .tooManyRevocations: unavailable("too many revocations", retryAfter: retryAfter, keepAlive: true)
    case .disconnected(let connections, isPartial: false): json(#"{"connections":\#(connections)}"#)
    case .disconnected(let connections, isPartial: true):
      unavailable(
        "\(connections) connections closed; not every node could be told now", retryAfter: retryAfter, keepAlive: true)
    case .published(let room, let place, let messageID, let isDuplicate):
      // None of these needs escaping: names and ids of ours.
      json(
        #"{"room":"\#(room.text)","offset":\#(place.offset),"epoch":"\#(place.epoch)""#
          + (isDuplicate ? #","dup":true}"# : #","message_id":"\#(messageID)"}"#))
    case .reached(let connections, let isPartial):
      json(#"{"recipients":\#(connections)\#(isPartial ? #","partial":true"# : "")}"#)
    case .found(let text): Response(.ok, contentType: .json, body: text)
    case .unavailable: unavailable("no answer from Redis", retryAfter: retryAfter, keepAlive: true)
    case .tooOften(let milliseconds): tooManyRequests(retryAfter: (milliseconds + 999) / 1_000, keepAlive: true)
    case .unreadable:
      error(.badRequest, "the payload names another room, or is too large with its sender", keepAlive: true)
    case .drain(let outcome): drain(outcome, retryAfter: retryAfter)
    // A step on the way, never an answer.
    case .token: preconditionFailure("the answer to a token's check is nobody's answer")
    }
  }

  /// 202: it has begun, and takes its time.
  private static func drain(_ outcome: DrainAnswer, retryAfter: Int) -> Response {
    switch outcome {
    case .begun(let node): json(#"{"node":"\#(node)","draining":true}"#, .accepted)
    case .unknownNode: error(.notFound, "no such node", keepAlive: true)
    case .severalNodes: error(.conflict, "several nodes have this id: give a whole name", keepAlive: true)
    case .noAnswer: unavailable("the node did not answer", retryAfter: retryAfter, keepAlive: true)
    }
  }

  static func json(_ text: String, _ status: Status = .ok) -> Response {
    Response(status, contentType: .json, body: Array(text.utf8))
  }
}

extension BackendAnswer {
  /// Why the caller does not get what it wished, for the metrics.
  var refusal: CallRefusalReason? {
    switch self {
    case .revoked, .disconnected(_, isPartial: false), .token, .published, .reached, .found, .drain(.begun): nil
    case .revokedHere, .tooManyRevocations, .disconnected(_, isPartial: true), .unavailable, .drain(.noAnswer):
      .unavailable
    case .drain(.unknownNode), .drain(.severalNodes): .unknownNode
    case .tooOften: .tooOften
    case .unreadable: .malformed
    }
  }
}
