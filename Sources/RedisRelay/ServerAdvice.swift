/// What is looked at once per server, because it hurts only later, and what an operator is told about it.
enum ServerAdvice: CaseIterable {
  case memory, pubsubBuffer

  var command: [String] {
    switch self {
    case .memory: ["INFO", "memory"]
    case .pubsubBuffer: ["CONFIG", "GET", "client-output-buffer-limit"]
    }
  }

  /// The warning that the answer gives cause for: the text of `INFO`, or the value of `CONFIG GET`.
  func warning(_ answer: String?) -> String? {
    switch self {
    case .memory: Self.memoryWarning(answer ?? "")
    case .pubsubBuffer: Self.bufferWarning(answer ?? "")
    }
  }

  /// When Redis does not tell.
  func ignorance(_ why: String) -> String {
    switch self {
    case .memory: "could not check Redis' eviction policy (\(why)): it must be noeviction"
    case .pubsubBuffer:
      "could not check Redis' client-output-buffer-limit for pubsub (\(why)): 32 MB or more are recommended"
    }
  }

  /// Evicted keys are histories that break off, and presence that miscounts.
  private static func memoryWarning(_ info: String) -> String? {
    var fields: [Substring: Substring] = [:]
    for line in info.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon]] = line[line.index(after: colon)...]
    }
    guard let policy = fields["maxmemory_policy"] else { return memory.ignorance("INFO memory does not name it") }
    guard policy != "noeviction" else { return nil }
    let shown = policy.prefix(32).filter { $0.isASCII && ($0.isLetter || $0 == "-") }
    let effect = fields["maxmemory"] == "0" ? "nothing yet, for want of a maxmemory" : "rooms' messages and presence"
    return "Redis' maxmemory-policy is \(shown) and evicts \(effect): set it to noeviction"
  }

  private static let smallestHard = 32 << 20
  private static let smallestSoft = 8 << 20

  /// The value lists classes: `<class> <hard bytes> <soft bytes> <seconds>`; 0 means no limit.
  private static func bufferWarning(_ value: String) -> String? {
    let words = value.split(separator: " ")
    guard let place = words.firstIndex(of: "pubsub"), words.count >= place + 4, let hard = Int(words[place + 1]),
      let soft = Int(words[place + 2]), let seconds = Int(words[place + 3])
    else { return pubsubBuffer.ignorance("it is not told") }
    let isSmall = hard != 0 && hard < smallestHard || soft != 0 && soft < smallestSoft
    guard isSmall else { return nil }
    return "Redis' client-output-buffer-limit for pubsub is small (\(hard) hard, \(soft) soft for \(seconds) s): "
      + "a burst cuts subscribers off; set it to 32mb 8mb 60 or more"
  }
}
