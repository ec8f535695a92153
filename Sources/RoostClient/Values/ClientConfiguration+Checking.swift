extension ClientConfiguration {
  /// What is wrong with it, in words.
  var problem: String? {
    if let token, tokenSource == nil, !ClientCore.isToken(token) { return "the token is not one line of ASCII" }
    for header in headers {
      let isName = !header.name.isEmpty && header.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
      guard isName, header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
        return "a header field is a name and one line"
      }
    }
    let times = [backoff, longestBackoff, openTimeout, answerTimeout, silence]
    if times.contains(where: { !(1...3_600_000).contains($0.milliseconds) }) || longestBackoff < backoff {
      return "times are from a millisecond to an hour, the longest backoff not below the first"
    }
    if pendingMessages < 1 || pendingBytes < 1 || messagesUnderWay < 1 || rooms < 1 || waitingEvents < 16
      || !(1_024...1 << 30).contains(messageBytes) || firstAttempts.map({ $0 < 1 }) == true
    {
      return "limits are positive, and there is room for 16 events and messages of a kilobyte at least"
    }
    return nil
  }

  func rules(idPrefix: String, seed: UInt64) -> ClientRules {
    var rules = ClientRules(idPrefix: idPrefix, seed: seed)
    rules.hasTokenSource = tokenSource != nil
    rules.firstAttempts = firstAttempts
    (rules.backoff, rules.longestBackoff) = (backoff.milliseconds, longestBackoff.milliseconds)
    (rules.openTimeout, rules.answerTimeout) = (openTimeout.milliseconds, answerTimeout.milliseconds)
    rules.silence = silence.milliseconds
    (rules.pendingMessages, rules.pendingBytes) = (pendingMessages, pendingBytes)
    (rules.messagesUnderWay, rules.rooms, rules.waitingEvents) = (messagesUnderWay, rooms, waitingEvents)
    return rules
  }
}
