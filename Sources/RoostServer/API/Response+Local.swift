import HTTPCore
import RealtimeCore

// What a shard answers without asking the hub.
extension Response {
  /// The clients for which something waits, those with the most bytes first. At most a quarter of a second old.
  static func slow(_ context: NodeContext) -> Response {
    let report = context.backlogs.map(\.latest).reduce(BacklogReport(), +)
    let slowest = report.slowest.map(\.json).joined(separator: ",")
    return json(
      #"{"node":"\#(context.hubReport.latest.instance)","clients":\#(report.clients),"bytes":\#(report.bytes),"#
        + #""messages":\#(report.messages),"replay_messages":\#(report.replayMessages),"slowest":[\#(slowest)]}"#)
  }
}

extension SlowClient {
  /// Ids and addresses need no escaping.
  fileprivate var json: String {
    #"{"connection":"\#(connection)","address":"\#(address)","bytes":\#(bytes),"messages":\#(messages),"#
      + #""replay_messages":\#(replayMessages),"muted_rooms":\#(mutedRooms),"stalled_ms":\#(stalledMilliseconds)}"#
  }
}
