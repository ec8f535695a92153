public import RealtimeCore
public import Telemetry

/// Errors are counted by the code that clients read.
extension ClientMistake.Code: CountedReason {
  public var labels: [String] { ["\(name)"] }
}
