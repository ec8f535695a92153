/// The figures a client decides by. Times are milliseconds.
struct ClientRules {
  /// Begins the ids of this client's messages; no other client's may begin so.
  var idPrefix: String
  /// What chance begins from.
  var seed: UInt64
  var hasTokenSource = false
  var firstAttempts: Int?
  var backoff: Int64 = 500
  var longestBackoff: Int64 = 30_000
  var openTimeout: Int64 = 10_000
  var answerTimeout: Int64 = 15_000
  var silence: Int64 = 30_000
  var closeTimeout: Int64 = 2_000
  var pendingMessages = 1_024
  var pendingBytes = 4 << 20
  var messagesUnderWay = 32
  var rooms = 1_000
  var waitingEvents = 1_024

  init(idPrefix: String, seed: UInt64) { (self.idPrefix, self.seed) = (idPrefix, seed) }
}
