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
  /// No new connections; the ones there are leave one by one within so many milliseconds.
  case drain(milliseconds: Int64)
  /// Drop what is left and end the loop.
  case stop
}

/// What one turn of the hub has for one shard.
struct Parcel: Sendable {
  var commands: [ShardCommand]
  var frames: [UInt8]
}
