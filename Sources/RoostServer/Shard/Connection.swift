import Buffers
import EventLoops
import HTTPCore
import RealtimeCore
import Transport
import WebSocketCore

/// One client's socket and where its protocol stands. Idle ones own no buffer.
struct Connection: ~Copyable {
  enum Phase: UInt8 {
    /// Reading HTTP requests.
    case request
    /// The body of a call to the API is on its way.
    case body
    /// A request waits for the hub: a place, the online numbers, or what came of a call.
    case waiting
    /// A WebSocket, until its ``closing`` is over.
    case open
    /// The last answer is out; what comes is thrown away until the peer closes or the time is up. Closing with
    /// unread bytes would reset the connection and lose the answer.
    case lingering
  }

  struct Flags: OptionSet {
    let rawValue: UInt32
    static let echoes = Flags(rawValue: 1 << 0)
    static let isAdmin = Flags(rawValue: 1 << 1)
    /// The hub was asked for a place and must hear of the end.
    static let isKnownToHub = Flags(rawValue: 1 << 2)
    /// Registered for writability, because a backlog waits.
    static let awaitsWrite = Flags(rawValue: 1 << 3)
    /// Registered for nothing to read: the peer is done, or gets no more attention before it reads.
    static let ignoresInput = Flags(rawValue: 1 << 4)
    /// Nothing comes after what is on its way: half-close when it is out, then linger.
    static let endsWhenSent = Flags(rawValue: 1 << 5)
    /// The peer will send no more.
    static let inputEnded = Flags(rawValue: 1 << 6)
    /// Over the limit of its address, or of the node: for the handshake to say so.
    static let isOverAddressLimit = Flags(rawValue: 1 << 7)
    static let isOverNodeLimit = Flags(rawValue: 1 << 8)
    /// Answered at least one request.
    static let hasServed = Flags(rawValue: 1 << 9)
    static let isHeadRequest = Flags(rawValue: 1 << 10)
    /// Waits for the online numbers, not for a place.
    static let asksOnline = Flags(rawValue: 1 << 11)
    /// … with `?verbose`.
    static let isVerbose = Flags(rawValue: 1 << 12)
    static let closesAfterAnswer = Flags(rawValue: 1 << 13)
    /// Counted among the open WebSockets.
    static let isOpen = Flags(rawValue: 1 << 14)
    /// Lost messages of rooms, and the hub does not know yet.
    static let hasMutedRooms = Flags(rawValue: 1 << 15)
    /// Came in by the port for administration.
    static let isAdministrative = Flags(rawValue: 1 << 16)
    /// Not read for a while, because it sent too much.
    static let isPaused = Flags(rawValue: 1 << 17)
    /// Its first request is not complete: counted among the unfinished.
    static let isUnfinished = Flags(rawValue: 1 << 18)
    /// A trusted proxy's, whose requests say for whom they are.
    static let isFromProxy = Flags(rawValue: 1 << 19)
    /// A trusted proxy's, which says first for whom the connection is.
    static let awaitsProxyHeader = Flags(rawValue: 1 << 20)
    /// Was told that it is sent to another node.
    static let isSentAway = Flags(rawValue: 1 << 21)
  }

  /// A room the connection is in, or on its way into.
  struct Membership {
    /// The room's place in the shard's table.
    var room: UInt32
    /// The place in the room's member list; ``outside`` before the hub has let it in, ``muted`` and then
    /// ``mutedAndTold`` while it gets nothing because it is slow.
    var position: UInt32
    /// `leave` commands the hub has not answered.
    var leaving: UInt16
    /// What the client asked for last.
    var isWanted: Bool
    /// Whether its client may send to the room.
    var maySend: Bool

    static let outside = UInt32.max
    /// Messages were dropped; the hub hears of it when the client has read enough to be told.
    static let muted = UInt32.max - 1
    /// The hub has heard of it; its `resync` is on the way.
    static let mutedAndTold = UInt32.max - 2

    var isListed: Bool { position < Self.mutedAndTold }
    var isMuted: Bool { position == Self.muted || position == Self.mutedAndTold }
  }

  var socket: ByteStream
  /// Its entry in the table of addresses: its client's, as far as that is known.
  var address: AddressTable.Entry
  var phase = Phase.request
  /// The window its compressed messages must fit; 0 when no compression was agreed on.
  var windowBits: UInt8 = 0
  var flags: Flags
  var closing = ClosingHandshake()
  var heartbeat: Heartbeat
  var intake = Intake()
  var user: UserNumber = 0
  var parser = RequestParser()
  /// When the phase, or a message in pieces, must be over; milliseconds of the loop's clock, 0 for never.
  var deadline: Int64
  /// The earliest entry among the loop's timers that is ours.
  var timer = Int64.max
  /// When the token ends, in milliseconds since 1970; `.max` for never.
  var tokenEnd = Int64.max
  /// The client knows that it ends soon.
  var hasToldExpiry = false
  var reader = MessageReader(side: .server)
  /// What was received and could not be used yet.
  var leftover = ByteBuffer()
  var rooms: ContiguousArray<Membership> = []
  var backlog: Backlog?
  var session = Session()

  init(_ socket: consuming ByteStream, address: AddressTable.Entry, flags: Flags, second: Int32, deadline: Int64) {
    self.socket = socket
    (self.address, self.flags, self.deadline) = (address, flags, deadline)
    heartbeat = Heartbeat(now: second)
  }

  /// Whether what its client sends is read now.
  var isRead: Bool { flags.isDisjoint(with: [.ignoresInput, .isPaused]) }

  /// The index in ``rooms`` of the shard's room `number`.
  func membership(in room: UInt32) -> Int? {
    for index in rooms.indices where rooms[index].room == room { return index }
    return nil
  }
}
