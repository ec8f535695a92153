import COpenSSL
import RealtimeCore

/// What makes two publications the same one: the first 128 bits of SHA-256 over room, user and client id, each with
/// its length before it, so that no two different triples can spell the same bytes.
enum PublicationDigest {
  static let byteCount = 16

  static func of(_ publication: Publication, room: RoomName) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(publication.userID.utf8.count + room.text.utf8.count + publication.clientID.count + 6)
    for part in [Array(publication.userID.utf8), Array(room.text.utf8), publication.clientID] {
      text.append(UInt8(truncatingIfNeeded: part.count >> 8))
      text.append(UInt8(truncatingIfNeeded: part.count))
      text.append(contentsOf: part)
    }
    return Array(
      unsafe [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { hash, count in
        unsafe SHA256(text, text.count, hash.baseAddress)
        count = Int(SHA256_DIGEST_LENGTH)
      }.prefix(byteCount))
  }
}
