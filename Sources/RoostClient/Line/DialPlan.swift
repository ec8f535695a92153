import HTTPCore
import Transport

/// Where a client connects, and how.
struct DialPlan: Sendable {
  let url: ServerURL
  let tls: TLSClient?
  let headers: [(name: String, value: String)]
  let messageBytes: Int
}
