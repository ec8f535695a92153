/// Sees what happens in one Redis: leases are its own, and the rest goes into the ledger.
final class LeaseWatch: RedisWitness {
  private let ledger: Ledger
  private let lease: Int64
  /// When each incarnation last renewed its lease, on a clock that is never stepped.
  private var renewals: [String: Int64] = [:]
  /// When something last happened to leases that is no node's doing: Redis was away for long, lost data, its clock was
  /// stepped.
  var lastAbsence: Int64 = 0
  /// When Redis came back after so long an absence that every lease had to begin anew.
  var amnestyDue: Int64 = -1_000_000

  init(ledger: Ledger, lease: Int64) { (self.ledger, self.lease) = (ledger, lease) }

  func generationBegan(_ generation: String) { ledger.generationBegan(generation) }

  func stored(_ text: [UInt8], room: String, epoch: String, offset: Int) {
    ledger.stored(text, room: room, epoch: epoch, offset: offset)
  }

  func announced(_ kind: String, room: String, user: String) { ledger.announced(kind, room: room, user: user) }

  func renewed(_ incarnation: String) { renewals[incarnation] = ledger.world.now }

  func reaped(_ incarnation: String) {
    ledger.count(\.reaped)
    let (world, isLive) = (ledger.world, ledger.isLive(incarnation))
    world.trace.note("redis", "lease of \(incarnation) is taken away")
    let age = world.now - (renewals[incarnation] ?? 0)
    if age < lease - 50, lastAbsence < world.now - 2 * lease, isLive {
      ledger.fail(.liveNodes, "\(incarnation) lost its lease \(age) ms after it renewed it")
    }
    let sinceAmnesty = world.now - amnestyDue
    if sinceAmnesty < lease - 50, isLive {
      ledger.fail(.liveNodes, "\(incarnation) lost its lease \(sinceAmnesty) ms after Redis came back")
    }
  }
}
