import Locks
import Synchronization
import Tokens

/// How often tokens were refused, by reason, and key sets fetched. Touched only when that happens.
final class TokenCounts: Sendable {
  private struct Counts {
    var refused: [TokenError: Int] = [:]
    var good = 0
    var failed = 0
  }

  private let counts = Mutex(Counts())

  func refused(_ reason: TokenError) { counts.locked { $0.refused[reason, default: 0] += 1 } }

  func fetched(isGood: Bool) {
    counts.locked {
      $0.good += isGood ? 1 : 0
      $0.failed += isGood ? 0 : 1
    }
  }

  /// Of every reason there is.
  var refusals: [(reason: TokenError, count: Int)] {
    let refused = counts.locked { $0.refused }
    return TokenError.allCases.map { ($0, refused[$0] ?? 0) }
  }

  var fetches: (good: Int, failed: Int) { counts.locked { ($0.good, $0.failed) } }
}
