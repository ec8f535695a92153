import Buffers
import RealtimeCore

/// What the clients of a shard get in one turn, in order, gathered so that each of them costs one send.
///
/// A client's share is a chain of pieces: slices of frames that many clients get (a room's batch), or of the arena,
/// where replies for single clients are written. Who gets nothing but a room's whole batch, as most do, shares one
/// piece with all the others and is sent that slice without a copy.
///
///     lanes[slot] ──► piece ──► piece ──► piece          batch 0   ▓▓▓▓▓▓▓▓▓▓▓▓
///                       │         │         │            arena     ░░▒▒▒░░░
///                       └ batch 0 └ arena   └ batch 0
struct Outbox: ~Copyable {
  /// A slice of a batch or of the arena, or a replay, and the one after it.
  struct Piece {
    var source: UInt32
    var start: UInt32
    var end: UInt32
    /// Room messages in it, as the queue limit counts them.
    var messages: UInt32
    /// ``none``, ``shared``, or the next piece of the same lane.
    var next: UInt32
  }

  /// What one connection gets: its first and last piece, ``none`` outside a turn.
  private struct Lane {
    var head = Outbox.none
    var tail = Outbox.none
  }

  static let arenaSource = UInt32.max
  /// `start` is an index in ``replays``.
  static let replaySource = UInt32.max - 1
  /// A batch that belongs to no room.
  static let noRoom = RoomNumber.max
  static let none: UInt32 = 0
  /// The end of a chain that belongs to many lanes: must be copied before anything can follow it.
  private static let shared = UInt32.max
  /// A turn that needed more than this gives its memory back.
  private static let keptBytes = 1 << 20

  /// Replies of this turn.
  private(set) var arena = ByteBuffer()
  /// Frames that many connections get.
  private(set) var batches: ContiguousArray<[UInt8]> = []
  /// Which room each batch is of.
  private(set) var batchRooms: ContiguousArray<RoomNumber> = []
  /// What clients missed, referred to.
  private(set) var replays: ContiguousArray<Replay> = []
  /// Slots that get something, each once.
  private(set) var touched: ContiguousArray<UInt32> = []
  private(set) var scratch = ByteBuffer()
  /// The first is a place holder, so that 0 can mean "none".
  private var pieces: ContiguousArray<Piece> = [Piece(source: 0, start: 0, end: 0, messages: 0, next: 0)]
  private var lanes: ContiguousArray<Lane> = []

  init() {}

  var isEmpty: Bool { touched.isEmpty }

  /// So many replies wait that they should leave before more are written.
  var isBig: Bool { arena.count > 4 * Self.keptBytes }

  /// Makes room for a connection at `slot`, whose lane must be empty: what its predecessor did not get is forgotten.
  mutating func open(_ slot: UInt32) {
    while lanes.count <= Int(slot) { lanes.append(Lane()) }
    lanes[Int(slot)] = Lane()
  }

  // MARK: Replies

  /// Writes bytes for one connection behind what it already gets.
  @inline(__always)
  mutating func reply(to slot: UInt32, messages: UInt32 = 0, _ write: (inout ByteBuffer) -> Void) {
    let start = UInt32(arena.count)
    write(&arena)
    let end = UInt32(arena.count)
    append(Piece(source: Self.arenaSource, start: start, end: end, messages: messages, next: Self.none), to: slot)
  }

  /// Puts messages of the past behind what the connection already gets.
  mutating func append(_ replay: Replay, to slot: UInt32) {
    let index = UInt32(replays.count)
    replays.append(replay)
    append(Piece(source: Self.replaySource, start: index, end: index, messages: 0, next: Self.none), to: slot)
  }

  // MARK: Batches

  /// Takes frames that many will get; the number names them in the calls below.
  mutating func addBatch(_ frames: [UInt8], room: RoomNumber = noRoom) -> UInt32 {
    batches.append(frames)
    batchRooms.append(room)
    return UInt32(batches.count - 1)
  }

  /// A room's batch, the number it has here, and the piece for those who get all of it.
  struct AddedBatch {
    let batch: RoomBatch
    let source: UInt32
    let piece: UInt32
  }

  mutating func add(_ batch: RoomBatch) -> AddedBatch {
    let source = addBatch(batch.frames, room: batch.room)
    let piece = addSharedPiece(source, batch.common(batch.items.indices), messages: UInt32(batch.items.count))
    return AddedBatch(batch: batch, source: source, piece: piece)
  }

  /// Makes a piece that many lanes may have as their only one.
  mutating func addSharedPiece(_ batch: UInt32, _ range: Range<UInt32>, messages: UInt32) -> UInt32 {
    pieces.append(
      Piece(source: batch, start: range.lowerBound, end: range.upperBound, messages: messages, next: Self.shared))
    return UInt32(pieces.count - 1)
  }

  @inline(__always)
  mutating func appendShared(_ piece: UInt32, to slot: UInt32) {
    if lanes[Int(slot)].head == Self.none {
      lanes[Int(slot)] = Lane(head: piece, tail: piece)
      touched.append(slot)
    } else {
      append(pieces[Int(piece)], to: slot)
    }
  }

  mutating func append(_ batch: UInt32, _ range: Range<UInt32>, messages: UInt32, to slot: UInt32) {
    guard !range.isEmpty else { return }
    let piece = Piece(
      source: batch, start: range.lowerBound, end: range.upperBound, messages: messages, next: Self.none)
    append(piece, to: slot)
  }

  private mutating func append(_ piece: Piece, to slot: UInt32) {
    let tail = lanes[Int(slot)].tail
    if tail == Self.none {
      touched.append(slot)
      lanes[Int(slot)].head = add(piece)
      lanes[Int(slot)].tail = lanes[Int(slot)].head
      return
    }
    if pieces[Int(tail)].next == Self.shared {
      // The lane's only piece so far, and not its own: a private copy takes its place.
      lanes[Int(slot)].head = add(pieces[Int(tail)])
      lanes[Int(slot)].tail = lanes[Int(slot)].head
    }
    let own = Int(lanes[Int(slot)].tail)
    if pieces[own].source == piece.source && pieces[own].end == piece.start {
      pieces[own].end = piece.end
      pieces[own].messages &+= piece.messages
    } else {
      let added = add(piece)
      pieces[own].next = added
      lanes[Int(slot)].tail = added
    }
  }

  private mutating func add(_ piece: Piece) -> UInt32 {
    pieces.append(piece)
    pieces[pieces.count - 1].next = Self.none
    return UInt32(pieces.count - 1)
  }

  // MARK: Sending

  /// The piece that is all `slot` gets, when others may get it too.
  func sharedPiece(of slot: UInt32) -> UInt32? {
    let head = lanes[Int(slot)].head
    return pieces[Int(head)].next == Self.shared ? head : nil
  }

  func piece(_ index: UInt32) -> Piece { pieces[Int(index)] }

  /// Empties the lane of `slot` if shared piece `piece` is all it holds.
  @inline(__always)
  mutating func take(_ piece: UInt32, from slot: UInt32) -> Bool {
    guard lanes[Int(slot)].head == piece else { return false }
    lanes[Int(slot)] = Lane()
    return true
  }

  /// Empties the lane of `slot` and returns the first piece of its chain; `nil` when there is nothing.
  mutating func take(_ slot: UInt32) -> UInt32? {
    let head = lanes[Int(slot)].head
    guard head != Self.none else { return nil }
    lanes[Int(slot)] = Lane()
    return head
  }

  /// The piece behind `piece` in its chain; `nil` at the end.
  @inline(__always)
  func next(_ piece: Piece) -> UInt32? { piece.next == Self.none || piece.next == Self.shared ? nil : piece.next }

  /// The first replay in the chain that starts at `head`.
  func replay(from head: UInt32?) -> UInt32? {
    guard !replays.isEmpty else { return nil }
    var index = head
    while let current = index, pieces[Int(current)].source != Self.replaySource { index = next(pieces[Int(current)]) }
    return index
  }

  /// Joins the chain that starts at `head`, which has no replays, in ``scratch``.
  mutating func join(from head: UInt32) {
    Self.join(head, pieces, arena, batches, into: &scratch)
  }

  private static func join(
    _ head: UInt32, _ pieces: borrowing ContiguousArray<Piece>, _ arena: borrowing ByteBuffer,
    _ batches: borrowing ContiguousArray<[UInt8]>, into scratch: inout ByteBuffer
  ) {
    scratch.removeAll()
    var next = head
    while next != none && next != shared {
      let piece = pieces[Int(next)]
      let range = Int(piece.start)..<Int(piece.end)
      if piece.source == arenaSource {
        scratch.append(arena.bytes.extracting(range))
      } else {
        let frames = batches[Int(piece.source)]
        unsafe scratch.append(frames.span.bytes.extracting(range))
      }
      next = piece.next
    }
  }

  func hasReplies(for slot: UInt32) -> Bool { lanes[Int(slot)].head != Self.none }

  /// Joins other bytes in the scratch buffer, between ``take(_:)`` calls.
  mutating func withScratch(_ body: (inout ByteBuffer) -> Void) { body(&scratch) }

  /// The connection at `slot` is gone: what it was to get is forgotten.
  mutating func drop(_ slot: UInt32) { lanes[Int(slot)] = Lane() }

  /// Forgets the turn and keeps its memory, within reason.
  mutating func endTurn() {
    touched.removeAll(keepingCapacity: true)
    batches.removeAll(keepingCapacity: true)
    batchRooms.removeAll(keepingCapacity: true)
    replays.removeAll()
    pieces.removeSubrange(1...)
    if arena.count > Self.keptBytes { arena.release() } else { arena.removeAll() }
    if scratch.count > Self.keptBytes { scratch.release() } else { scratch.removeAll() }
  }
}
