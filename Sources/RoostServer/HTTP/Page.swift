import HTTPCore
import RealtimeCore
import Synchronization
import Telemetry

/// What a node answers to plain HTTP from what it knows.
enum Page: Sendable {
  case stats, health, readiness, metrics, openAPI

  /// What balancers ask, who must get an answer whatever else is refused.
  var isForMachines: Bool { self == .health || self == .readiness }

  func response(_ context: NodeContext, _ log: Log, now: Int64) -> Response {
    switch self {
    case .stats: .stats(context, now: now)
    case .health: Response(.ok, contentType: .plain, body: Array("ok\n".utf8))
    case .readiness: context.readiness
    case .openAPI: OpenAPI.response
    case .metrics: Response(.ok, contentType: .metrics, body: context.metrics(log))
    }
  }
}

extension NodeContext {
  var total: ShardCounters { counters.reduce(ShardCounters()) { $0 + $1.snapshot } }

  fileprivate var readiness: Response {
    let isReady = isReady.load(ordering: .relaxed) && !isDraining.load(ordering: .relaxed)
    return isReady
      ? Response(.ok, contentType: .plain, body: Array("ready\n".utf8))
      : Response(.serviceUnavailable, contentType: .plain, body: Array("not ready\n".utf8))
  }
}

extension Response {
  static func online(_ answer: OnlineAnswer, isVerbose: Bool) -> Response {
    let text = "{\(counts(answer.numbers))\(isVerbose ? details(answer) : "")}"
    var response = Response(.ok, contentType: .json, body: Array(text.utf8))
    if !answer.isClusterWide { response.add("Roost-Scope", "node") }
    return response
  }

  private static func counts(_ numbers: OnlineNumbers) -> String {
    #""online":\#(numbers.connections),"users":\#(numbers.users),"nodes":\#(numbers.nodes)"#
  }

  private static func details(_ answer: OnlineAnswer) -> String {
    let scope = answer.isClusterWide ? "cluster" : "node"
    var text = #","scope":"\#(scope)","age_ms":\#(answer.ageMilliseconds),"relay":"\#(answer.relay)""#
    if let trouble = answer.trouble { text += #","trouble":"\#(trouble.rawValue)""# }
    if let known = answer.lastKnown {
      text += #","last_known":{\#(counts(known.numbers)),"age_ms":\#(known.ageMilliseconds)}"#
    }
    return text
  }

  fileprivate static func stats(_ context: NodeContext, now: Int64) -> Response {
    let total = context.total
    let seconds = (now - context.startedAt) / 1_000
    let uptime = "\(seconds / 3_600)h\(seconds / 60 % 60)m\(seconds % 60)s"
    let body =
      #"{"active_connections":\#(total.open),"total_connections":\#(total.opened),"#
      + #""messages_received":\#(total.received),"messages_sent":\#(total.sent),"errors":\#(total.mistakes),"#
      + #""uptime":"\#(uptime)","uptime_seconds":\#(seconds)}"#
    return Response(.ok, contentType: .json, body: Array(body.utf8))
  }
}
