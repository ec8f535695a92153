/// Rules of the design that live in Redis' scripts, switched off one at a time to see whether the simulation notices.
public enum RedisMutant: String, CaseIterable, Sendable {
  /// Rule 3: a boot keeps the stored generation, whatever process holds the data.
  case storedGeneration = "rule-03-stored-generation"
  /// Rule 4: READ answers from the meta of an earlier generation.
  case readsOldMeta = "rule-04-read-old-meta"
  /// Rule 5: READ calls whatever it found complete.
  case readsIncomplete = "rule-05-read-without-proof"
  /// Rule 8: no amnesty after Redis was away.
  case noAmnesty = "rule-08-no-amnesty"
  /// Rule 8: deadlines are not clamped after the clock stepped back.
  case noClamp = "rule-08-no-clamp"
  /// Rule 13: nothing is remembered of what was stored.
  case noDigests = "rule-13-no-digests"
  /// Scripts answer to requests of an older generation.
  case noStaleGeneration = "rule-04-no-stalegen"

  /// What was switched off, in words.
  public var words: String {
    switch self {
    case .storedGeneration: "the generation is stored, not tied to the process"
    case .readsOldMeta: "READ answers from the meta of an older generation"
    case .readsIncomplete: "READ says complete without proof"
    case .noAmnesty: "no amnesty after an absence of Redis"
    case .noClamp: "lease ends are not clamped after a clock step back"
    case .noDigests: "PUBLISH remembers no digests"
    case .noStaleGeneration: "scripts do not check the generation"
    }
  }
}
