import Synchronization

/// Counts by reason, from any thread. For what happens rarely: each count is one locked instruction.
///
/// Every reason has a series from the start, so that a rate over its first event is a number.
public final class Tally<Reason: CountedReason>: Sendable {
  private let counts = InlineArray<64, Atomic<Int>> { _ in Atomic(0) }

  public init() { precondition(Reason.allCases.count <= 64, "a tally has 64 places") }

  public func count(_ reason: Reason) { counts[reason.rawValue].wrappingAdd(1, ordering: .relaxed) }

  public subscript(reason: Reason) -> Int { counts[reason.rawValue].load(ordering: .relaxed) }

  public var total: Int { Reason.allCases.reduce(0) { $0 + self[$1] } }

  /// One sample for each reason.
  public var samples: [MetricsText.Sample] { Reason.allCases.map { .init($0.labels, .integer(self[$0])) } }
}

/// What is counted: an enumeration numbered from 0.
public protocol CountedReason: CaseIterable, RawRepresentable<Int>, Sendable {
  /// The values of the metric's labels, in their order.
  var labels: [String] { get }
}

extension CountedReason {
  /// The case's name, in Prometheus' manner: `tooManyFragments` is `too_many_fragments`.
  public var word: String {
    var word = ""
    var wasCapital = true
    for letter in "\(self)" {
      if letter.isUppercase && !wasCapital { word += "_" }
      word += letter.lowercased()
      wasCapital = letter.isUppercase
    }
    return word
  }

  public var labels: [String] { [word] }
}
