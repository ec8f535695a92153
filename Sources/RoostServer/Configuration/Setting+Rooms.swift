import Tokens

extension Setting {
  static let rooms: [Setting] = [
    .patterns(
      "default-join", "rooms that may be joined with a token that names none; others: FORBIDDEN", \.defaultRooms.join),
    .patterns(
      "default-send", "rooms that may be sent to with a token that names none; others: FORBIDDEN", \.defaultRooms.send),
  ]

  /// A lone `*` is any room and no text is none, so that neither can be meant by accident.
  private static func patterns(_ name: String, _ meaning: String, _ place: Place<[String]?>) -> Setting {
    Setting(name, meaning, form: "* for any room, or room names that may hold * between commas; empty: none") {
      $0[keyPath: place]?.joined(separator: ",") ?? "*"
    } write: { text, configuration in
      let patterns = text.split(separator: ",").map { part in
        String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
      configuration[keyPath: place] = patterns == ["*"] ? nil : patterns
      return patterns.count <= RoomGrants.patternLimit && patterns.allSatisfy(RoomGrants.isPattern)
    }
  }
}
