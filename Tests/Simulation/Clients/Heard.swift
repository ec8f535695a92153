import RealtimeCore

/// A text of a node, as far as a client's model needs it. Names of rooms, users and messages are their numbers.
struct Heard {
  enum Kind { case admitted, roomInfo, message, ack, error, resync, joined, left, onlineUsers, other }

  var kind = Kind.other
  var room = -1
  var offset: Int?
  var epoch = ""
  /// The number in the payload of a message.
  var content = -1
  /// The client's own id: what it was for, and its number.
  var id: (purpose: UInt8, number: Int)?
  /// Whom a presence event is about.
  var user = -1
  var isDuplicate = false
  var recovered: Bool?
  var code = ""
  var count = -1
  var users: [Int] = []
  /// Of what all members get alike.
  var fingerprint = 0
}

extension Heard {
  /// Reads a text; what is not JSON stops the simulation, because a node wrote it.
  init(_ text: [UInt8]) {
    let span = unsafe text.span.bytes
    var scanner = JSONScanner()
    var ownID: Range<Int>?
    do {
      var key = try scanner.enterObject(span)
      while let name = key {
        let range = try scanner.value(span)
        switch text[name.contents].text {
        case "type": kind = Self.kind(text[range].inner.text)
        case "room": room = text[range].inner.dropFirst().number
        case "offset": offset = text[range].number
        case "id": id = text[range].inner.first.map { ($0, text[range].inner.dropFirst().number) }
        case "client_id": ownID = name.contents.lowerBound - 2..<range.upperBound
        case "sender": user = Self.user(text[range])
        case "payload": takePayload(text, range)
        default: break
        }
        key = try scanner.nextKey(span)
      }
    } catch { preconditionFailure("a node sent what is no JSON: \(text.text)") }
    guard kind == .message else { return }
    let seen = ownID.map { text[..<$0.lowerBound] + text[$0.upperBound...] } ?? text[...]
    fingerprint = seen.reduce(0) { $0 &* 31 &+ Int($1) }
  }

  private mutating func takePayload(_ text: [UInt8], _ range: Range<Int>) {
    guard text[range].first == UInt8(ascii: "{") else { return content = text[range].number }
    let part = Array(text[range])
    let span = unsafe part.span.bytes
    var scanner = JSONScanner()
    guard var key = try? scanner.enterObject(span) else { return }
    while let range = try? scanner.value(span) {
      switch part[key.contents].text {
      case "room_id": room = part[range].inner.dropFirst().number
      case "offset": offset = part[range].number
      case "epoch": epoch = part[range].inner.text
      case "dup": isDuplicate = part[range].first == UInt8(ascii: "t")
      case "recovered": recovered = part[range].first == UInt8(ascii: "t")
      case "code", "reason": code = part[range].inner.text
      case "count": count = part[range].number
      case "users": users = Self.users(part[range])
      default: break
      }
      guard let next = try? scanner.nextKey(span) else { return }
      key = next
    }
  }

  /// The numbers of all users in a list of `{"id":"u3","name":…}`.
  private static func users(_ list: ArraySlice<UInt8>) -> [Int] {
    list.text.split(separator: #"{"id":"u"#).dropFirst().map { Int($0.prefix { $0.isNumber }) ?? -1 }
  }

  private static func user(_ sender: ArraySlice<UInt8>) -> Int { users([91] + sender).first ?? -1 }

  private static func kind(_ type: String) -> Kind {
    switch type {
    case "room_info": .roomInfo
    case "new_message": .message
    case "ack": .ack
    case "error": .error
    case "resync": .resync
    case "user_joined": .joined
    case "user_left": .left
    case "online_users": .onlineUsers
    default: .other
    }
  }
}

extension ArraySlice<UInt8> {
  var text: String { String(decoding: self, as: UTF8.self) }
  /// Without the quotes.
  fileprivate var inner: ArraySlice<UInt8> { dropFirst().dropLast() }
  fileprivate var number: Int { reduce(0) { (48...57).contains($1) ? $0 &* 10 &+ Int($1 - 48) : $0 } }
}
