import RealtimeCore

/// What Redis refuses at present although the connection is fine. Pure: the clock is an argument.
///
/// Something refused is remembered until the same thing is accepted; what is not asked for any more is forgotten after
/// a minute, except publishing and probes, which the relay itself goes on trying.
struct Refusals {
  enum Subject: Hashable {
    case publishing, probing
    case request(RequestShape.Sort)
    case room(RoomName)
  }

  private struct Entry {
    let trouble: RelayTrouble
    let since: Int64
    var latest: Int64
  }

  static let memory: Int64 = 60_000
  static let rooms = 64

  private var entries: [Subject: Entry] = [:]

  var isEmpty: Bool { entries.isEmpty }

  /// Returns true when this was not known.
  mutating func refused(_ subject: Subject, _ trouble: RelayTrouble, since: Int64? = nil, now: Int64) -> Bool {
    let known = entries[subject]
    if known == nil, case .room = subject, entries.count >= Self.rooms { return false }
    entries[subject] = Entry(trouble: trouble, since: known?.since ?? since ?? now, latest: now)
    return known?.trouble != trouble
  }

  mutating func accepted(_ subject: Subject) { entries[subject] = nil }

  func isRefused(_ subject: Subject) -> Bool { entries[subject] != nil }

  mutating func forgetOld(now: Int64) {
    entries = entries.filter { subject, entry in
      subject == .publishing || subject == .probing || now - entry.latest < Self.memory
    }
  }

  /// When the oldest that may be forgotten is due.
  var deadline: Int64? {
    entries.lazy.filter { $0.key != .publishing && $0.key != .probing }.map { $0.value.latest + Self.memory }.min()
  }

  /// Since when no message can be published, whatever its room.
  var blockedSince: Int64? {
    [Subject.publishing, .probing].compactMap { entries[$0]?.since }.min()
  }

  /// The gravest.
  var trouble: RelayTrouble? {
    guard !entries.isEmpty else { return nil }
    if let entry = entries[.publishing] ?? entries[.probing] { return entry.trouble }
    return entries.min { $0.value.since < $1.value.since }?.value.trouble
  }
}
