import EventLoops
import HTTPCore
import Transport

/// A member of rooms: keeps one connection to a Roost cluster, comes back by itself when it is lost, and then goes on
/// where it was, with nothing lost and nothing twice.
///
/// ```swift
/// let client = try RoostClient(ClientConfiguration(url: "ws://localhost:8080/ws", token: token))
/// try await client.connect()
/// try await client.joinRoom("general")
/// let receipt = try await client.sendMessage("hello", to: "general")
/// for await case .message(let message) in client.events { print(message.content ?? "") }
/// ```
///
/// Calls may be made at any time, from any task: while there is no connection they wait for one. A message is sent
/// again over the next connection until it is acknowledged, under one id, so that it is stored once. Messages that one
/// task sends one after the other keep their order.
///
/// A client has a thread of its own, which ends when the client is released; connections end then without a word.
public final class RoostClient: Sendable {
  let loop: ClientLoop

  /// Checks the configuration. Nothing is connected yet.
  ///
  /// - Throws: ``ClientError/invalid(_:)``.
  public init(_ configuration: ClientConfiguration) throws(ClientError) {
    if let problem = configuration.problem { throw .invalid(problem) }
    guard let url = ServerURL(configuration.url) else {
      throw .invalid("the URL is not such as ws://localhost:8080/ws")
    }
    let plan = DialPlan(
      url: url, tls: try Self.tls(url, configuration.trust), headers: configuration.headers,
      messageBytes: configuration.messageBytes)
    let prefix = String(UInt64.random(in: .min ... .max), radix: 36)
    let core = ClientCore(
      configuration.rules(idPrefix: prefix, seed: .random(in: .min ... .max)),
      token: configuration.tokenSource == nil ? configuration.token : nil)
    do {
      loop = try ClientLoop(core, plan, configuration.tokenSource)
    } catch {
      throw .invalid("no event loop can be made: \(error)")
    }
    loop.start()
  }

  deinit { loop.arrivals.post(.stop) }

  private static func tls(_ url: ServerURL, _ trust: ClientTrust) throws(ClientError) -> TLSClient? {
    guard url.isSecure else { return nil }
    do {
      switch trust {
      case .system: return try TLSClient(.system)
      case .file(let path): return try TLSClient(.file(path))
      }
    } catch {
      throw .invalid("\(error)")
    }
  }

  /// What happens: messages, presence, the connection itself.
  public var events: ClientEvents { ClientEvents(client: self) }
}
