/// Who should have got what in a fan-out, and who did.
struct FanoutLedger {
  enum Arrival { case first, duplicate, outOfOrder }

  /// Messages each client has sent; a sender counts 1, 2, 3 ….
  private var sent: [UInt32]
  /// The highest number each client has seen of each talker of its room.
  private var highest: ContiguousArray<UInt32>
  /// Messages each client has got, duplicates not counted.
  private var received: [UInt32]
  private let clientsPerRoom: Int
  private let talkersPerRoom: Int
  private(set) var duplicates = 0
  private(set) var orderViolations = 0

  init(rooms: Int, clientsPerRoom: Int, talkersPerRoom: Int) {
    sent = Array(repeating: 0, count: rooms * clientsPerRoom)
    received = sent
    highest = ContiguousArray(repeating: 0, count: rooms * clientsPerRoom * talkersPerRoom)
    (self.clientsPerRoom, self.talkersPerRoom) = (clientsPerRoom, talkersPerRoom)
  }

  /// Clients of a room are numbered members first, then further publishers, so talkers are the last ones.
  func client(room: Int, talker: Int) -> Int { (room + 1) * clientsPerRoom - talkersPerRoom + talker }

  mutating func send(room: Int, talker: Int) -> UInt32 {
    let client = client(room: room, talker: talker)
    sent[client] += 1
    return sent[client]
  }

  mutating func arrive(at client: Int, from talker: UInt32, _ sequence: UInt32) -> Arrival {
    guard talker < UInt32(talkersPerRoom) else { return .outOfOrder }
    let place = client * talkersPerRoom + Int(talker)
    let last = highest[place]
    if sequence == last {
      duplicates += 1
      return .duplicate
    }
    received[client] += 1
    if sequence < last {
      orderViolations += 1
      return .outOfOrder
    }
    highest[place] = sequence
    return .first
  }

  /// What is missing at `clients` when all are done. A sender does not get its own.
  func lost(at clients: some Sequence<Int>) -> Int {
    var lost = 0
    for client in clients {
      let room = client / clientsPerRoom
      let talkers = self.client(room: room, talker: 0)..<self.client(room: room, talker: talkersPerRoom)
      let expected = talkers.reduce(0) { $0 + ($1 == client ? 0 : Int(sent[$1])) }
      lost += max(0, expected - Int(received[client]))
    }
    return lost
  }
}
