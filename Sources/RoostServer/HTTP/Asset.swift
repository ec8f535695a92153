import COpenSSL
import CPages
import HTTPCore

/// A file that a browser asks for, as it is in `pages/` and `clients/`: the same for everybody and nothing secret.
struct Asset: Sendable {
  let path: String
  let place: Route.Place
  let response: Response
  private let tag: String

  /// All of them, in the order of `Sources/CPages/pages.c`.
  static let all: [Asset] = {
    var assets: [Asset] = []
    while let page = unsafe roost_page(UInt(assets.count)) { unsafe assets.append(Asset(page.pointee)) }
    return assets
  }()

  private init(_ page: roost_page) {
    let bytes = unsafe Array(UnsafeBufferPointer(start: page.bytes, count: Int(page.count)))
    path = unsafe String(cString: page.path)
    place = Self.place(of: path)
    let kind = Self.kind(of: path)
    tag = "\"\(Self.digest(bytes))\""
    var response = Response(.ok, contentType: kind, body: bytes)
    response.revalidated(by: tag)
    if kind == .html {
      response.add("Content-Security-Policy", Self.policy)
      response.add("Cross-Origin-Opener-Policy", "same-origin")
    }
    self.response = response
  }

  /// What to answer to a request that names the copies it has in `If-None-Match` (RFC 9110 section 13.1.2).
  func response(to head: RequestHead, in bytes: RawSpan) -> Response {
    var copies = head.fields.list(of: "if-none-match")
    while let range = copies.next(in: bytes) {
      let copy = head.text(range, in: bytes)
      guard copy == "*" || copy == tag || copy == "W/" + tag else { continue }
      var response = Response(.notModified)
      response.revalidated(by: tag)
      return response
    }
    return response
  }

  /// Only files of the node itself, nothing that stands in a page's own text, nothing made of strings, in nobody's
  /// frame.
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

  private static func place(of path: String) -> Route.Place {
    if path.hasPrefix("/dashboard") || path.hasPrefix("/pages/dashboard/") { return .administration }
    return path == "/" || path == "/client.js" || path.hasPrefix("/pages/chat/") ? .mainPort : .both
  }

  private static func kind(of path: String) -> ContentType {
    if path.hasSuffix(".js") { return .javaScript }
    if path.hasSuffix(".css") { return .css }
    return path.hasSuffix(".svg") ? .svg : .html
  }

  /// Half of SHA-256, which is more than chance needs.
  private static func digest(_ bytes: [UInt8]) -> String {
    var hash = [UInt8](repeating: 0, count: 32)
    unsafe SHA256(bytes, bytes.count, &hash)
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: hash.prefix(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension Response {
  /// Browsers keep it and ask each time whether it is still so: after an upgrade nobody runs half of the old page.
  fileprivate mutating func revalidated(by tag: String) {
    cacheControl = "no-cache"
    add("ETag", tag)
  }
}
