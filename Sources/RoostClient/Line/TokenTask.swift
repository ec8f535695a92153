import EventLoops

/// Asks for a token beside the client's own thread.
///
/// The one place where work begins that nobody waits for: a client is no task and has no parent. It ends by itself with
/// the source's answer, is cancelled with the client, and touches nothing but the client's mailbox.
enum TokenTask {
  static func start(
    _ source: @escaping TokenSource, _ reason: TokenReason, _ arrivals: Mailbox<ClientLoop.Arrival>
  ) -> Task<Void, Never> {
    Task {
      do {
        arrivals.post(.token(try await source(reason)))
      } catch {
        arrivals.post(.noToken("there is no token: \(error)"))
      }
    }
  }
}
