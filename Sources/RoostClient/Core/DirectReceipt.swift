/// The answer to a message for a user or for everybody.
public struct DirectReceipt: Sendable, Equatable {
  /// Connections that were reached; 0 is no error. `nil` for everybody.
  public var recipients: Int?
  /// A node did not answer in time: it may have delivered or not.
  public var isPartial: Bool
}
