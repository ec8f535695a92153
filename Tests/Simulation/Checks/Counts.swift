/// What happened in a run, or in many, in numbers.
public struct Counts: Sendable {
  public var steps = 0
  public var faults = 0
  public var sent = 0
  public var stored = 0
  public var acked = 0
  public var duplicates = 0
  public var delivered = 0
  public var joins = 0
  public var recovered = 0
  public var unrecovered = 0
  public var resyncs = 0
  public var refusals = 0
  public var generations = 0
  public var reaped = 0
  public var revocations = 0
  /// Connections closed because of them, and handshakes refused.
  public var revoked = 0

  public init() {}

  private static var fields: [(name: String, path: WritableKeyPath<Counts, Int>)] {
    [
      ("steps", \.steps), ("faults", \.faults), ("sent", \.sent), ("stored", \.stored), ("acked", \.acked),
      ("duplicates", \.duplicates), ("delivered", \.delivered), ("joins", \.joins), ("recovered", \.recovered),
      ("not recovered", \.unrecovered), ("resyncs", \.resyncs), ("refusals", \.refusals),
      ("generations", \.generations), ("leases taken", \.reaped),
      ("revocations", \.revocations), ("ended by them", \.revoked),
    ]
  }

  public static func += (left: inout Counts, right: Counts) {
    for (_, path) in fields { left[keyPath: path] += right[keyPath: path] }
  }

  /// `steps 2000, faults 7, …`
  public var text: String { Self.fields.map { "\($0.name) \(self[keyPath: $0.path])" }.joined(separator: ", ") }
}
