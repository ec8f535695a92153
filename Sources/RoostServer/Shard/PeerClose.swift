import Telemetry
import WebSocketCore

/// How clients end WebSockets, for the metrics.
enum PeerClose: Int, CountedReason {
  /// 1000, and 1001: a page that is left.
  case normal, goingAway
  /// A close frame without a code.
  case noCode
  case otherCode
  /// No close frame at all: the network, or a client that was killed.
  case lost

  init(_ code: CloseCode?) {
    self =
      switch code {
      case .normal: .normal
      case .goingAway: .goingAway
      case nil: .noCode
      default: .otherCode
      }
  }
}
