import HTTPCore
import RealtimeCore

extension APICall {
  /// The node in the path; there is nothing to say in a body.
  func drainedNode() throws(CallRefused) -> String {
    if bodyBytes > 0 { _ = try members([]) }
    return names[0]
  }
}

extension Response {
  /// What a backend is told about its wish that a node drains. 202: it has begun, and takes its time.
  static func drain(_ outcome: DrainAnswer, retryAfter: Int) -> Response {
    switch outcome {
    case .begun(let node): json(#"{"node":"\#(node)","draining":true}"#, .accepted)
    case .unknownNode: error(.notFound, "no such node", keepAlive: true)
    case .severalNodes: error(.conflict, "several nodes have this id: give a whole name", keepAlive: true)
    case .noAnswer: unavailable("the node did not answer", retryAfter: retryAfter, keepAlive: true)
    }
  }
}
