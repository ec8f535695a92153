/// One message, scanned: where the values of its known top-level keys are, and `payload.room_id`.
///
/// Both sides of the server read with it: what clients send and what arrives from the relay.
struct Envelope {
  /// Start << 32 | end of each known key's value; 0 is "not there", because a value never ends at 0.
  private var places = [16 of UInt64](repeating: 0)
  private var payloadRoom: UInt64 = 0
  private var others = OtherKeys()

  /// Scans all of `bytes`. Unknown keys are passed over; a repeated top-level key is malformed, however it is
  /// written, and so is a second `room_id` in the payload.
  init(_ bytes: RawSpan, keyLimit: Int = JSONScanner.keyLimit) throws(JSONProblem) {
    guard bytes.byteCount <= Int(Int32.max) else { throw .tooComplex }
    var scanner = JSONScanner(keyLimit: keyLimit)
    scanner.skipSpace(bytes)
    var next = try scanner.enterObject(bytes)
    while let key = next {
      if let known = EnvelopeKey(key, in: bytes) {
        guard places[known.rawValue] == 0 else { throw .malformed }
        places[known.rawValue] = Self.pack(try known == .payload ? payload(bytes, &scanner) : scanner.value(bytes))
      } else {
        others.note(key, in: bytes)
        try scanner.value(bytes)
      }
      next = try scanner.nextKey(bytes)
    }
    try scanner.finish(bytes)
    if others.mayRepeat { try OtherKeys.checkAll(bytes) }
  }

  /// Where the value of `key` is.
  subscript(key: EnvelopeKey) -> Range<Int>? {
    @inline(__always) get { Self.unpack(places[key.rawValue]) }
  }

  /// The value of `key` when it is a string.
  func string(_ key: EnvelopeKey, in bytes: RawSpan) -> JSONString? {
    guard let value = self[key] else { return nil }
    return JSONString(value: value, in: bytes)
  }

  /// The room, from `room` or `payload.room_id`. `null` and the empty string count as not given.
  ///
  /// - Throws: ``RoomProblem`` when a given one is no room name, or both are given and differ.
  func room(in bytes: RawSpan) throws(RoomProblem) -> RoomName? {
    let outer = try Self.room(self[.room], in: bytes)
    guard let range = Self.unpack(payloadRoom) else { return outer }
    let inner = try Self.room(range, in: bytes)
    guard let outer, let inner else { return outer ?? inner }
    guard outer == inner else { throw RoomProblem() }
    return outer
  }

  /// A room that was given is not usable.
  struct RoomProblem: Error {}

  private static func room(_ value: Range<Int>?, in bytes: RawSpan) throws(RoomProblem) -> RoomName? {
    guard let value, !bytes.holds("null", at: value) else { return nil }
    guard let string = JSONString(value: value, in: bytes) else { throw RoomProblem() }
    if string.contents.isEmpty { return nil }
    guard let room = RoomName(string, in: bytes) else { throw RoomProblem() }
    return room
  }

  /// The payload's value, with a look at its own keys when it is an object.
  private mutating func payload(_ bytes: RawSpan, _ scanner: inout JSONScanner) throws(JSONProblem) -> Range<Int> {
    let start = scanner.index
    guard start < bytes.byteCount, bytes.byte(start) == UInt8(ascii: "{") else { return try scanner.value(bytes) }
    var next = try scanner.enterObject(bytes)
    while let key = next {
      let value = try scanner.value(bytes)
      if key.matches("room_id", in: bytes) {
        guard payloadRoom == 0 else { throw .malformed }
        payloadRoom = Self.pack(value)
      }
      next = try scanner.nextKey(bytes)
    }
    return start..<scanner.index
  }

  private static func pack(_ range: Range<Int>) -> UInt64 {
    UInt64(range.lowerBound) << 32 | UInt64(range.upperBound)
  }

  @inline(__always)
  private static func unpack(_ place: UInt64) -> Range<Int>? {
    place == 0 ? nil : Int(place >> 32)..<Int(place & 0xFFFF_FFFF)
  }
}

/// Top-level keys that are not ours: whether one of them may have come twice.
///
/// A filter of 64 bits answers "surely not" for nearly every message. Only when it cannot are the keys collected
/// and compared, so a message made of a thousand unknown keys still costs one hash each.
private struct OtherKeys {
  private var seen: UInt64 = 0
  private(set) var mayRepeat = false

  mutating func note(_ key: JSONString, in bytes: RawSpan) {
    var hash: UInt64 = 0
    for index in key.contents { hash = (hash ^ UInt64(bytes.byte(index))) &* 0x9E37_79B9_7F4A_7C15 }
    let bit: UInt64 = 1 << (hash >> 58)
    if key.isEscaped || seen & bit != 0 { mayRepeat = true }
    seen |= bit
  }

  /// Compares all decoded top-level keys of a text that was scanned before.
  @inline(never)
  static func checkAll(_ bytes: RawSpan) throws(JSONProblem) {
    var keys: Set<[UInt8]> = []
    var scanner = JSONScanner(keyLimit: .max)
    scanner.skipSpace(bytes)
    var next = try scanner.enterObject(bytes)
    while let key = next {
      guard keys.insert(key.decoded(in: bytes)).inserted else { throw .malformed }
      try scanner.value(bytes)
      next = try scanner.nextKey(bytes)
    }
  }
}
