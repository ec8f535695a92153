extension RoostClient {
  // MARK: Connection

  /// Connects, and waits until messages can pass. Only the first call is needed: later connections come by themselves.
  ///
  /// - Throws: ``ClientError/refused(status:)``, ``ClientError/untrusted(_:)``, ``ClientError/closed(code:reason:)``,
  ///   ``ClientError/cancelled``; ``ClientError/unreachable(_:)`` when no more of
  ///   ``ClientConfiguration/firstAttempts`` are left.
  public func connect() async throws(ClientError) {
    _ = try await loop.ask { $0.connect(ticket: $1, $2) }.get()
  }

  /// Says goodbye and waits until the connection is gone, at most two seconds. Calls that wait fail with
  /// ``ClientError/disconnected``; the client cannot be connected again.
  public func disconnect() async {
    _ = await loop.ask { $0.disconnect(ticket: $1, $2) }
  }

  /// Goes on with another token of the same user. With a ``TokenSource`` there is no need to.
  public func refreshToken(_ token: String) async throws(ClientError) { _ = try await call(.refresh(token: token)) }

  // MARK: Rooms

  /// Enters a room and stays in it over all connections, until ``leaveRoom(_:)``. Doing so twice is no error: the
  /// answer tells who is there now.
  ///
  /// - Parameters:
  ///   - history: last messages to be told first, 0 to 100.
  ///   - since: where somebody has stopped reading; what was missed is told first, or that it is lost
  ///     (``ClientEvent/missed(room:reason:position:)``).
  @discardableResult
  public func joinRoom(
    _ room: String, history: Int = 0, since: Position? = nil
  ) async throws(ClientError) -> RoomInfo {
    guard case .room(let info) = try await call(.join(room: room, history: history, since: since)) else {
      preconditionFailure("a join was answered by something else")
    }
    return info
  }

  public func leaveRoom(_ room: String) async throws(ClientError) { _ = try await call(.leave(room: room)) }

  /// How far the room's messages have been told. Give it to ``joinRoom(_:history:since:)`` to go on there another day.
  /// `nil` when the room is not joined.
  public func position(in room: String) async -> Position? { await loop.position(in: room) }

  /// Tells members that one is typing, or has stopped. Best effort; ends by itself after six seconds.
  public func typing(in room: String, isTyping: Bool = true) async {
    await loop.tell { $0.typing(room, isTyping: isTyping) }
  }

  /// Who is in a room, over all nodes.
  public func onlineUsers(_ room: String) async throws(ClientError) -> RoomMembers {
    switch try await call(.members(room: room)) {
    case .members(let members): return members
    default: preconditionFailure("a question was answered by something else")
    }
  }

  /// The last messages of a joined room, or the last with offsets below `before`.
  ///
  /// - Parameter limit: 1 to 100.
  public func history(_ room: String, limit: Int = 50, before: Int? = nil) async throws(ClientError) -> RoomHistory {
    switch try await call(.history(room: room, limit: limit, before: before)) {
    case .history(let history): return history
    default: preconditionFailure("a question was answered by something else")
    }
  }

  // MARK: Messages

  /// Sends `{"content": text}` to everybody else in the room, and waits until it is stored.
  @discardableResult
  public func sendMessage(_ text: String, to room: String, id: String? = nil) async throws(ClientError) -> Receipt {
    try await sendMessage(payload: JSONText(content: text), to: room, id: id)
  }

  /// Sends any JSON value.
  ///
  /// - Parameter id: 1 to 64 characters that name the message: sent again within two minutes, by whatever client of the
  ///   user, it is not stored again. `nil`: one is made.
  /// - Throws: ``ClientError/server(code:message:retryAfter:)`` when the server refuses it. `RATE_LIMITED` and
  ///   `RELAY_UNAVAILABLE` are waited for and not thrown, as long as sending again may help.
  @discardableResult
  public func sendMessage(
    payload: JSONText, to room: String, id: String? = nil
  ) async throws(ClientError) -> Receipt {
    switch try await call(.send(payload, room: room, id: id)) {
    case .receipt(let receipt): return receipt
    default: preconditionFailure("a message was answered by something else")
    }
  }

  /// Sends `{"content": text}` to all connections of a user. It is not stored: who is not there does not get it.
  @discardableResult
  public func sendPrivate(_ text: String, to user: String) async throws(ClientError) -> DirectReceipt {
    try await sendPrivate(payload: JSONText(content: text), to: user)
  }

  /// - Throws: ``ClientError/outcomeUnknown`` when the connection was lost on the way.
  @discardableResult
  public func sendPrivate(payload: JSONText, to user: String) async throws(ClientError) -> DirectReceipt {
    try await direct(.direct(payload, user: user))
  }

  /// Sends to everybody who is connected. For admins, unless the server allows it to all.
  @discardableResult
  public func chat(payload: JSONText) async throws(ClientError) -> DirectReceipt { try await direct(.chat(payload)) }

  private func direct(_ call: ClientCore.Call) async throws(ClientError) -> DirectReceipt {
    switch try await self.call(call) {
    case .direct(let receipt): return receipt
    default: preconditionFailure("a message was answered by something else")
    }
  }

  private func call(_ call: ClientCore.Call) async throws(ClientError) -> ClientCore.Answer {
    try await loop.ask { $0.call(call, ticket: $1, $2) }.get()
  }
}
