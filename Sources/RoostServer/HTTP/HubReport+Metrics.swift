import EventLoops
import RealtimeCore
import Telemetry

extension HubReport {
  func write(to text: inout MetricsText) {
    text.write(Metric.users, users)
    text.write(Metric.rooms, rooms)
    text.write(Metric.members, members)
    text.write(Metric.nodes, nodes)
    text.write(Metric.pending, pendingMessages)
    text.write(Metric.relayState, RelayState.all.map { .init(["\($0)"], .integer($0 == relayState ? 1 : 0)) })
    text.write(
      Metric.relayTrouble, RelayTrouble.allCases.map { .init([$0.rawValue], .integer($0 == relayTrouble ? 1 : 0)) })
    text.write(
      Metric.refused, RelayTrouble.allCases.map { .init([$0.rawValue], .integer(counters.refused[$0] ?? 0)) })
    text.write(Metric.localDeliveries, counters.localDeliveries)
    text.write(Metric.published, counters.published)
    text.write(Metric.delivered, counters.delivered)
    text.write(Metric.duplicates, counters.duplicates)
    text.write(Metric.repeats, counters.repeats)
    text.write(Metric.latency, Histogram(counters.relayLatency))
    text.write(Metric.relayFailures, counters.relayFailures)
    text.write(Metric.reads, counters.gapReads)
    text.write(Metric.gapsFilled, counters.gapsFilled)
    text.write(Metric.resyncs, ResyncCause.allCases.map { .init([$0.rawValue], .integer(counters.resyncs[$0] ?? 0)) })
    text.write(Metric.recovered, counters.recovered)
    text.write(Metric.notRecovered, counters.notRecovered)
    text.write(Metric.pastReads, counters.pastReads)
    text.write(Metric.rememberedBytes, rememberedBytes)
    text.write(Metric.foreignFrames, counters.foreignFrames)
    text.write(Metric.badFrames, counters.badFrames)
    text.write(Metric.revocations, revocations)
    let age = revocationsCompleteAt.map { Double(max(0, monotonicMilliseconds() - $0)) / 1_000 }
    text.write(Metric.revocationsAge, age ?? -1)
    text.write(Metric.fenced, counters.fenced)
    text.write(Metric.reaped, counters.reaped)
  }
}

extension RelayState {
  fileprivate static let all: [RelayState] = [.starting, .connected, .suspect, .degraded, .recovering]
}

private enum Metric {
  static let users = MetricDescription("roost_users", .gauge, help: "Users with a connection to this node.")
  static let rooms = MetricDescription("roost_rooms", .gauge, help: "Rooms with a member on this node.")
  static let members = MetricDescription(
    "roost_members", .gauge, help: "Users in rooms on this node; one who is in two rooms counts twice.")
  static let nodes = MetricDescription(
    "roost_cluster_nodes", .gauge, help: "Live nodes of the cluster, as this one knows it.")
  static let pending = MetricDescription(
    "roost_relay_pending_messages", .gauge, help: "Messages that wait for the relay or for its answer.")
  static let relayState = MetricDescription(
    "roost_relay_state", .gauge, labels: ["state"], help: "1 for the state the relay is in.")
  static let relayTrouble = MetricDescription(
    "roost_relay_trouble", .gauge, labels: ["reason"], help: "1 for what keeps the relay from its work; docs/REDIS.md.")
  static let refused = MetricDescription(
    "roost_relay_refused_total", .counter, labels: ["reason"], help: "Requests that the relay refused.")
  static let localDeliveries = MetricDescription(
    "roost_local_deliveries_total", .counter, help: "Messages for this node alone, because the relay was away.")
  static let published = MetricDescription(
    "roost_relay_published_total", .counter, help: "Messages of this node that the relay stored.")
  static let delivered = MetricDescription(
    "roost_room_messages_total", .counter, help: "Numbered messages put in order, before they are spread to members.")
  static let duplicates = MetricDescription(
    "roost_relay_duplicates_total", .counter, help: "Messages that were stored before under the same id.")
  static let repeats = MetricDescription(
    "roost_room_repeats_total", .counter,
    help: "Messages sent again that members had been shown before Redis was replaced; not shown twice.")
  static let latency = MetricDescription(
    "roost_relay_latency_seconds", .histogram,
    help: "From taking a message from its client to knowing that the relay stored it.")
  static let relayFailures = MetricDescription(
    "roost_relay_failures_total", .counter, help: "Publish requests without a good answer; they are tried again.")
  static let reads = MetricDescription(
    "roost_relay_reads_total", .counter, help: "Questions about missed messages that were answered.")
  static let gapsFilled = MetricDescription(
    "roost_gaps_filled_total", .counter, help: "Rooms for which such an answer brought what was missed.")
  static let resyncs = MetricDescription(
    "roost_resyncs_total", .counter, labels: ["reason"],
    help: "Rooms whose members, or whose one slow client, were told that messages are lost to them.")
  static let recovered = MetricDescription(
    "roost_recovered_total", .counter, help: "Joins with a position that got all they had missed.")
  static let notRecovered = MetricDescription(
    "roost_not_recovered_total", .counter, help: "Joins with a position that were told why they cannot get it.")
  static let pastReads = MetricDescription(
    "roost_relay_past_reads_total", .counter, help: "Questions about a room's past that its memory could not answer.")
  static let rememberedBytes = MetricDescription(
    "roost_remembered_bytes", .gauge, help: "Memory of the rooms' last messages on this node.")
  static let foreignFrames = MetricDescription(
    "roost_relay_foreign_frames_total", .counter, help: "Messages that other programs published.")
  static let badFrames = MetricDescription(
    "roost_relay_bad_frames_total", .counter, help: "Frames on the relay channel that were dropped.")
  static let revocations = MetricDescription(
    "roost_revocations", .gauge, help: "Revoked tokens, and users with revoked ones, that this node knows of.")
  static let revocationsAge = MetricDescription(
    "roost_revocations_age_seconds", .gauge,
    help: "How long ago this node knew all revocations of the cluster; -1: never yet.")
  static let fenced = MetricDescription(
    "roost_presence_fenced_total", .counter, help: "Leases this node lost and took anew.")
  static let reaped = MetricDescription(
    "roost_presence_reaped_total", .counter, help: "Dead incarnations whose users this node counted out.")
}
