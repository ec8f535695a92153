public import Buffers

// What a node says about itself and about the connection.

extension ServerMessage {
  /// Whether the relay is away, so that messages are not delivered for now.
  public static func appendRelayStatus(isDegraded: Bool, to buffer: inout ByteBuffer) {
    buffer.openMessage("relay_status")
    buffer.append(isDegraded ? #","payload":{"degraded":true}}"# : #","payload":{"degraded":false}}"#)
  }

  /// The node is about to stop; the connection will be closed with 1012.
  public static func appendServerDraining(reconnectAfterMilliseconds wait: Int, to buffer: inout ByteBuffer) {
    buffer.openMessage("server_draining")
    buffer.append(#","payload":{"reconnect_after_ms":"#)
    buffer.append(decimal: wait)
    buffer.append("}}" as StaticString)
  }

  /// The token ends soon; a `refresh_token` before `expiry` keeps the connection.
  public static func appendTokenExpiring(at expiry: Timestamp, to buffer: inout ByteBuffer) {
    buffer.openMessage("token_expiring")
    buffer.append(#","payload":{"expires_at":""#)
    expiry.append(to: &buffer)
    buffer.append(#""}}"#)
  }
}
