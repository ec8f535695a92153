/// Whose certificates a client believes, with `wss://`.
public enum ClientTrust: Sendable, Equatable {
  /// Those of the authorities that the machine trusts.
  case system
  /// Those of the authorities in this PEM file.
  case file(String)
}
