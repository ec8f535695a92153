import Testing

/// A seed that found something, with what it was. Seeds lose their meaning when the simulation draws its chances in
/// another order; what was found then stays with the test of the part it was in.
struct Regression: CustomTestStringConvertible, Sendable {
  let seed: UInt64
  var steps = 2_000
  let was: String

  var testDescription: String { "seed \(seed): \(was)" }

  static let all = [
    Regression(seed: 15, was: "a resync went over a message, and its sender never got an answer"),
    Regression(
      seed: 19, was: "a request after an idle second was taken for a second late, and its connection given up"),
    Regression(seed: 21, was: "a client's retry after a change of epoch was shown twice"),
    Regression(seed: 123, was: "who left and came back while a message was on its way got no ack for it"),
    Regression(seed: 419, was: "a message of an epoch that was over kept a room asking every 50 ms"),
    Regression(seed: 760, was: "a repeat was withheld from one who had come after its first delivery"),
    Regression(
      seed: 3_126, was: "a connection that booted again while Redis was paused made its node spin for a second"),
    Regression(seed: 1_871, was: "a failed question about a room that was gone made the next room spin"),
  ]
}
