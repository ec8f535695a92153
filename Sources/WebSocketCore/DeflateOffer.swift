import Buffers

/// The first offer in `Sec-WebSocket-Extensions` that this server can accept (RFC 6455 section 9.1, RFC 7692
/// section 7.1).
///
/// An offer with a parameter that is unknown, repeated or out of range is declined, and the next one is looked at. A
/// header that is not a list of extensions is as good as none: the connection then goes on without compression. The
/// value is read once from left to right, whatever it holds.
public struct DeflateOffer: Sendable {
  private var accepted: DeflateAgreement?
  private var isMalformed = false

  public init() {}

  /// What to agree on; nil for no compression.
  public var agreement: DeflateAgreement? { isMalformed ? nil : accepted }

  /// Reads the value of one header field; several fields are one list.
  public mutating func add(_ value: borrowing RawSpan) {
    var scanner = Scanner()
    while !isMalformed && scanner.skipBlanks(in: value) {
      // Empty elements of a list count for nothing (RFC 9110 section 5.6.1).
      if scanner.skip(UInt8(ascii: ","), in: value) { continue }
      guard let offer = scanner.offer(in: value) else { return isMalformed = true }
      if accepted == nil { accepted = offer.agreement }
    }
  }

  /// One element of the list, as far as it was read.
  private struct Offer {
    var isAcceptable: Bool
    /// Parameters that were there, so that none comes twice.
    var names: Set<String> = []
    var serverWindowBits: UInt8?
    var clientWindowBits: UInt8?

    var agreement: DeflateAgreement? {
      guard isAcceptable else { return nil }
      return DeflateAgreement(serverWindowBits: serverWindowBits, clientWindowBits: clientWindowBits)
    }

    mutating func take(_ name: String, _ value: String?) {
      isAcceptable = isAcceptable && accept(name, value)
    }

    private mutating func accept(_ name: String, _ value: String?) -> Bool {
      guard names.insert(name).inserted else { return false }
      switch name {
      case "server_no_context_takeover", "client_no_context_takeover": return value == nil
      case "server_max_window_bits":
        serverWindowBits = value.flatMap(Self.windowBits)
        return serverWindowBits.map(DeflateAgreement.windowBits.contains) ?? false
      case "client_max_window_bits":
        clientWindowBits = value.flatMap(Self.windowBits)
        return value == nil || clientWindowBits != nil
      default: return false
      }
    }

    /// 8 to 15, without leading zeros (RFC 7692 section 7.1.2).
    private static func windowBits(_ text: String) -> UInt8? {
      guard text.utf8.count <= 2, text.utf8.first != UInt8(ascii: "0") else { return nil }
      guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
      return UInt8(text).flatMap { (8...15).contains($0) ? $0 : nil }
    }
  }

  /// Walks through a value. Its place only grows.
  private struct Scanner {
    private var place = 0

    /// False at the end.
    mutating func skipBlanks(in value: borrowing RawSpan) -> Bool {
      while place < value.byteCount, Self.isBlank(value.byte(at: place)) { place += 1 }
      return place < value.byteCount
    }

    mutating func skip(_ byte: UInt8, in value: borrowing RawSpan) -> Bool {
      guard skipBlanks(in: value), value.byte(at: place) == byte else { return false }
      place += 1
      return true
    }

    /// An extension with its parameters, up to the comma or the end behind it; nil when it is none.
    mutating func offer(in value: borrowing RawSpan) -> Offer? {
      guard let name = token(in: value) else { return nil }
      var offer = Offer(isAcceptable: name == "permessage-deflate")
      while skip(UInt8(ascii: ";"), in: value) {
        guard let name = token(in: value) else { return nil }
        guard skip(UInt8(ascii: "="), in: value) else {
          offer.take(name, nil)
          continue
        }
        let isQuoted = skipBlanks(in: value) && value.byte(at: place) == UInt8(ascii: "\"")
        guard let text = isQuoted ? quoted(in: value) : token(in: value) else { return nil }
        offer.take(name, text)
      }
      let isAtEnd = !skipBlanks(in: value)
      return isAtEnd || value.byte(at: place) == UInt8(ascii: ",") ? offer : nil
    }

    private mutating func token(in value: borrowing RawSpan) -> String? {
      _ = skipBlanks(in: value)
      var text: [UInt8] = []
      while place < value.byteCount, SubprotocolOffer.isTokenCharacter(value.byte(at: place)) {
        text.append(value.byte(at: place))
        place += 1
      }
      return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    /// A token between quotes; what else quotes may hold elsewhere is not allowed here (RFC 6455 section 9.1).
    private mutating func quoted(in value: borrowing RawSpan) -> String? {
      var text: [UInt8] = []
      var next = place + 1
      while next < value.byteCount, value.byte(at: next) != UInt8(ascii: "\"") {
        if value.byte(at: next) == UInt8(ascii: "\\") { next += 1 }
        guard next < value.byteCount, SubprotocolOffer.isTokenCharacter(value.byte(at: next)) else { return nil }
        text.append(value.byte(at: next))
        next += 1
      }
      guard next < value.byteCount, !text.isEmpty else { return nil }
      place = next + 1
      return String(decoding: text, as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
  }
}
