/// What a metric is: everything about it but its value.
public struct MetricDescription: Equatable, Sendable {
  public enum Kind: String, Sendable { case counter, gauge, histogram }

  /// Such as `roost_messages_received_total`. Counters end in `_total`, other metrics in their unit.
  public let name: String
  /// One sentence for people.
  public let help: String
  public let kind: Kind
  /// Names of the labels every sample has, in order.
  public let labels: [String]

  public init(_ name: String, _ kind: Kind, labels: [String] = [], help: String) {
    precondition(Self.isName(name, colons: true), "not a metric name")
    precondition((kind == .counter) == name.hasSuffix("_total"), "counters, and only they, end in _total")
    precondition(labels.allSatisfy { Self.isName($0, colons: false) && $0 != "le" }, "not a label name")
    precondition(Set(labels).count == labels.count, "a label stands once")
    (self.name, self.help, self.kind, self.labels) = (name, help, kind, labels)
  }

  private static func isName(_ name: String, colons: Bool) -> Bool {
    guard let first = name.utf8.first, first &- UInt8(ascii: "0") > 9, !name.hasPrefix("__") else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
      case UInt8(ascii: ":"): colons
      default: false
      }
    }
  }
}
