public import Telemetry
public import Tokens

/// How a fetch of a key set went, for the metrics.
enum KeyFetchOutcome: Int, CountedReason {
  case good, failed
}

extension TokenError: CountedReason {}
