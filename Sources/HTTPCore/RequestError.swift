/// What is wrong with a request. After any of these nobody knows where the next request would start: answer, close.
public enum RequestError: Error, Equatable, CaseIterable, Sendable {
  /// NUL, a CR or LF that is not half of a line end, or another control character.
  case controlCharacter
  /// Not `method SP target SP version`, or an empty line where a request should start.
  case malformedRequestLine
  /// Not in origin form (`/path?query` in visible ASCII, no fragment).
  case malformedTarget
  /// HTTP/1.0 or older: it has no Host and closes by default, and no WebSocket client speaks it.
  case obsoleteVersion
  case unsupportedVersion
  /// No colon, no name, or a name that is no token: a space before the colon as well.
  case malformedHeader
  /// A header line that goes on in the next one (obs-fold, RFC 9112 section 5.2).
  case foldedHeader
  case missingHost
  case repeatedHost
  case malformedHost
  /// A Content-Length that is not one number, or several of them, even if equal.
  case malformedLength
  /// A body on a method that has none.
  case unexpectedBody
  /// Both Content-Length and Transfer-Encoding: the classic of request smuggling (RFC 9112 section 6.3).
  case ambiguousLength
  /// A chunked body; we take Content-Length only.
  case lengthRequired
  case unknownTransferCoding
  case bodyTooLarge
  case targetTooLong
  case headersTooLarge
  case tooManyHeaders
}

extension Status {
  /// The one place where a mistake in a request becomes a number.
  public init(_ error: RequestError) {
    self =
      switch error {
      case .controlCharacter, .malformedRequestLine, .malformedTarget, .obsoleteVersion, .malformedHeader,
        .foldedHeader, .missingHost, .repeatedHost, .malformedHost, .malformedLength, .unexpectedBody,
        .ambiguousLength:
        .badRequest
      case .lengthRequired: .lengthRequired
      case .bodyTooLarge: .contentTooLarge
      case .targetTooLong: .uriTooLong
      case .headersTooLarge, .tooManyHeaders: .requestHeaderFieldsTooLarge
      case .unknownTransferCoding: .notImplemented
      case .unsupportedVersion: .httpVersionNotSupported
      }
  }
}
