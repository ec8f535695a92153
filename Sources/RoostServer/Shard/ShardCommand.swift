import RealtimeCore

/// What the hub's side tells one shard, in order. Ranges are places of whole frames in the parcel's bytes.
enum ShardCommand: Sendable {
  case admit(ConnectionID, UserNumber)
  case refuse(ConnectionID, Refusal)
  case text(ConnectionID, Range<Int>)
  case enter(ConnectionID, RoomNumber, RoomName, Range<Int>)
  case exit(ConnectionID, RoomNumber, RoomName, Range<Int>)
  case replay(ConnectionID, Replay)
  case resync(ConnectionID, RoomNumber, Range<Int>)
  case forget(RoomNumber)
  case batch(RoomBatch)
  /// One frame for every open connection.
  case everyone([UInt8])
  case close(ConnectionID, ClosingCause)
  case refreshed(ConnectionID, TokenGrant, isGood: Bool, id: [UInt8])
  case backend(ConnectionID, BackendAnswer)
  case online(ConnectionID, OnlineAnswer)
  /// Tokens may be judged otherwise from now on.
  case keysChanged
  /// All connections are sent elsewhere, one by one within so many milliseconds.
  case drain(overMilliseconds: Int64)
  /// The same for so many of them.
  case shed(Int, overMilliseconds: Int64)
  /// Who is still there is told that the node ends.
  case lastWords
  /// Somebody wants this node to drain.
  case drainWanted
  /// For the hub, from somebody who has no way to it.
  case hub(HubCommand)
  /// Drop what is left and end the loop.
  case stop
}

/// What one turn of the hub has for one shard.
struct Parcel: Sendable {
  var commands: [ShardCommand]
  var frames: [UInt8]
}
