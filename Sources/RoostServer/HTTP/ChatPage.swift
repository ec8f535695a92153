import HTTPCore

/// The page at `/`: join a room, talk, see others talk.
enum ChatPage {
  static var response: Response {
    var response = Response(.ok, contentType: .html, body: Array(html.utf8))
    response.add(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'")
    return response
  }

  private static let html = "<!doctype html><title>Roost</title>"
}
