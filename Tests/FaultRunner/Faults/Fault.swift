import EventLoops
import RoostTesting

/// One kind of harm: how it is done and undone, and what it may cost.
struct Fault: Sendable {
  enum Family: Sendable { case redis, wire, nodes, clients }

  /// As `make faults FAULTS=…` names it.
  let name: String
  let summary: String
  let family: Family
  /// Data is lost, so clients may be told that they missed something.
  var mayAnnounce = false
  /// Redis must keep an append-only file.
  var needsAOF = false
  /// Redis and the nodes have clocks that can be set.
  var needsShiftedClocks = false
  /// So long, roughly, one strike takes, in seconds.
  var seconds: Double = 3
  /// Too slow, or too special, to be drawn by chance.
  var isOnlyByName = false
  /// For the nodes of a row with this fault.
  var nodeFlags: [String] = []
  /// Another crowd than the usual one.
  var plan: Crowd.Plan?
  /// Does the harm, holds it, and heals it.
  let strike: @MainActor @Sendable (Scene) async throws -> Void
}

extension Fault {
  static let all: [Fault] = redis + wire + nodes + clients

  static func named(_ name: String) -> Fault? { all.first { $0.name == name } }
}

/// What a fault works on.
@MainActor
final class Scene {
  let site: Site
  let crowd: Crowd
  var random: SeededGenerator
  private var watches = 0
  /// Figures and remarks for the row.
  private(set) var notes: [String] = []

  init(site: Site, crowd: Crowd, seed: UInt64) {
    (self.site, self.crowd) = (site, crowd)
    random = SeededGenerator(seed: seed &+ 77)
  }

  func note(_ text: String) { notes.append(text) }

  func pause(_ seconds: Double) async { await Crowd.pause(seconds) }

  func anyNode() -> Int { Int.random(in: 0..<Site.count, using: &random) }

  /// Measures how long it takes from now until every node publishes and delivers again.
  func timeToService(_ what: String, without dead: Set<Int> = [], patience: Double = 15) async {
    await service(what, since: monotonicMilliseconds(), nodes: Set(0..<Site.count).subtracting(dead), patience)
  }

  func timeToService(_ what: String, of node: Int, since: Int64) async {
    await service(what, since: since, nodes: [node], 15)
  }

  private func service(_ what: String, since: Int64, nodes: Set<Int>, _ patience: Double) async {
    watches += 1
    let watch = watches
    crowd.services[watch] = ServiceWatch(nodes: nodes, from: since)
    _ = await crowd.wait(seconds: patience) { crowd.services[watch]?.duration != nil }
    let duration = crowd.services.removeValue(forKey: watch)?.duration
    note(duration.map { "\(what) \($0) ms" } ?? "\(what): not within \(Int(patience)) s")
  }

  /// Connections of this node may end from now on.
  func excuse(_ node: Int) { crowd.excusedNodes.insert(node) }

  /// Its clients have had time to notice: later endings are faults.
  func blameAgain(_ node: Int) { crowd.excusedNodes.remove(node) }
}
