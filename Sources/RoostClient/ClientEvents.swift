/// What happens, in order, until the client has ended for good.
///
/// Events wait until they are taken, up to ``ClientConfiguration/waitingEvents``. There is one queue: when several
/// tasks listen, each event goes to one of them. Stop and listen again at will; nothing is lost between.
public struct ClientEvents: AsyncSequence, Sendable {
  let client: RoostClient

  public struct AsyncIterator: AsyncIteratorProtocol {
    let client: RoostClient

    /// The next event; `nil` after the last, and when the task is cancelled.
    public mutating func next() async -> ClientEvent? { await client.loop.nextEvent() }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(client: client) }
}
