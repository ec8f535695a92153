import HTTPCore

/// A handshake is turned away, with this answer.
struct Refused: Error {
  let response: Response

  init(_ response: Response) { self.response = response }
}
