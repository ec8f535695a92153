import HTTPCore

/// A handshake is turned away, with this answer.
struct Refused: Error {
  let reason: RefusalReason
  let response: Response

  static let malformed = Refused(.malformed, .error(.badRequest, "bad request"))

  init(_ reason: RefusalReason, _ response: Response) { (self.reason, self.response) = (reason, response) }
}
