import COpenSSL
import HTTPCore

/// The page at `/`: join a room, talk, see others talk. One file, no build step, nothing from elsewhere.
enum ChatPage {
  static var response: Response {
    var response = Response(.ok, contentType: .html, body: body)
    response.add("Content-Security-Policy", policy)
    return response
  }

  private static let body = Array(
    (head + "<style>" + style + "</style>\n" + markup + "<script>" + script + "</script>\n").utf8)

  /// Only this page's own style and script run, told by their hashes (CSP level 3, section 2.3.1).
  private static let policy =
    "default-src 'none'; style-src 'sha256-\(digest(style))'; script-src 'sha256-\(digest(script))'; "
    + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  private static func digest(_ text: String) -> String {
    var hash = [UInt8](repeating: 0, count: 32)
    let bytes = Array(text.utf8)
    unsafe SHA256(bytes, bytes.count, &hash)
    var encoded = [UInt8](repeating: 0, count: 45)
    unsafe EVP_EncodeBlock(&encoded, hash, 32)
    return String(decoding: encoded.dropLast(), as: UTF8.self)
  }
}
