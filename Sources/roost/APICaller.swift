import EventLoops
import HTTPCore
import LoadGenerator
import RoostClient
import Transport

/// Calls a node's, or a balancer's, HTTP API.
struct APICaller {
  /// In words for people, with the place it is about.
  struct Failure: Error, CustomStringConvertible {
    let description: String
    /// Whether calling again may help, and after how many milliseconds at least.
    var retryAfter: Int?
  }

  let url: String
  private let place: ServerURL
  private let key: String
  private let tls: TLSClient?
  private static let patience = 10_000

  /// - Parameter authority: a file with the certificates that are believed; `nil`: the machine's.
  init(_ url: String, key: String, authority: String?) throws(Failure) {
    guard let place = ServerURL(url), place.target == "/" else {
      throw Failure(description: "\(url) is not such as http://127.0.0.1:8080")
    }
    (self.url, self.place, self.key) = (url, place, key)
    do {
      tls = place.isSecure ? try TLSClient(authority.map { .file($0) } ?? .system) : nil
    } catch {
      throw Failure(description: "\(error)")
    }
  }

  /// `nil`: there is no such thing (404). Everything else that is no 200 is a failure.
  func find(_ path: String) throws(Failure) -> HTTPProbe.Answer? {
    let answer = try call("GET", path, body: nil)
    guard answer.status != 404 else { return nil }
    return try good(answer)
  }

  func get(_ path: String) throws(Failure) -> JSONText { try json(good(call("GET", path, body: nil))) }

  func post(_ path: String, _ body: JSONText) throws(Failure) -> JSONText {
    try json(good(call("POST", path, body: body.bytes)))
  }

  private func json(_ answer: HTTPProbe.Answer) throws(Failure) -> JSONText {
    guard let json = JSONText(answer.body) else { throw failure("does not answer as Roost does: that is no JSON") }
    return json
  }

  private func good(_ answer: HTTPProbe.Answer) throws(Failure) -> HTTPProbe.Answer {
    let told = JSONText(answer.body)?["error"]?.string.map { Terminal.harmless($0) }
    switch answer.status {
    case 200: return answer
    case 401: throw failure("the key is not one of this cluster's (401)")
    case 403: throw failure("the token is not an admin's (403)")
    case 404: throw failure("there is no API here (404); with --admin-port it is on that port")
    case 429, 503: throw failure("\(told ?? "busy") (\(answer.status))", retryAfter: (answer.retryAfter ?? 1) * 1_000)
    case let status: throw failure("\(told ?? "the call was refused") (\(status))")
    }
  }

  private func failure(_ text: String, retryAfter: Int? = nil) -> Failure {
    Failure(description: "\(url): \(text)", retryAfter: retryAfter)
  }

  private func call(_ method: String, _ path: String, body: [UInt8]?) throws(Failure) -> HTTPProbe.Answer {
    var last = failure("cannot be reached: \(place.host) has no address", retryAfter: 500)
    var distrust: Failure?
    for address in Address.resolve(host: place.host, port: place.port) {
      var endpoint = Endpoint(address: address, host: place.authority, target: path, token: key)
      (endpoint.tls, endpoint.serverName) = (tls, place.host)
      do {
        let headers = body == nil ? [] : [(name: "Content-Type", value: "application/json")]
        return try HTTPProbe.call(method, at: endpoint, headers: headers, body: body, milliseconds: Self.patience)
      } catch {
        switch error {
        case .unreachable: last = failure("\(error)", retryAfter: 500)
        // Calling again would not help.
        case .untrusted: distrust = failure("\(error)")
        // What was sent is not sent to the next address: that is for whoever knows whether it may be.
        case .noAnswer: throw failure("\(error)", retryAfter: 500)
        }
      }
    }
    throw distrust ?? last
  }
}
