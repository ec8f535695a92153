import CCurl
import Glibc

/// One `GET` over https of an address from the configuration, bounded in time and bytes. By libcurl, because TLS, DNS,
/// several addresses of one name and HTTP's forms of a body are too much to write for a call every ten minutes.
///
/// No redirect is followed, no proxy asked, no password file or cookie read, no compressed body taken, and the server's
/// certificate must be good for its name.
public struct SecureGet: Sendable {
  /// Why there is no body. Its text holds nothing that the server said.
  public enum Failure: Error, Equatable, CustomStringConvertible {
    /// The status is not 200.
    case status(Int)
    /// More bytes than wanted; no more than those were read.
    case tooLarge
    /// The caller does not want it any more.
    case stopped
    /// What libcurl says about the connection.
    case transport(String)

    public var description: String {
      switch self {
      case .status(let status): "the answer is \(status), not 200"
      case .tooLarge: "the answer is too large"
      case .stopped: "stopped"
      case .transport(let text): text
      }
    }
  }

  private let url: String
  private let caFile: String?
  private let milliseconds: Int
  private let byteLimit: Int

  /// How often a stop is looked for while the server is slow; milliseconds.
  private static let pause: CInt = 100
  /// Bytes of response headers at most.
  private static let headerLimit = 64 * 1_024

  /// - Parameters:
  ///   - url: `https://…`; anything else fails.
  ///   - caFile: PEM certificates to trust instead of the system's.
  ///   - milliseconds: for everything, from the name's address to the last byte.
  ///   - byteLimit: of the body.
  public init(url: String, caFile: String? = nil, milliseconds: Int = 2_000, byteLimit: Int) {
    (self.url, self.caFile, self.milliseconds, self.byteLimit) = (url, caFile, milliseconds, byteLimit)
  }

  /// The body of the answer. Blocks, so call it on a thread that may wait.
  public func body(unless isStopped: () -> Bool = { false }) throws(Failure) -> [UInt8] {
    let noStart = Failure.transport("libcurl cannot be started")
    guard Self.isInitialised, let handle = unsafe curl_easy_init() else { throw noStart }
    defer { unsafe curl_easy_cleanup(handle) }
    guard let transfers = unsafe curl_multi_init() else { throw noStart }
    let sink = Sink(limit: byteLimit)
    defer {
      unsafe curl_multi_remove_handle(transfers, handle)
      unsafe curl_multi_cleanup(transfers)
    }
    guard unsafe setOptions(handle, sink) else { throw .transport("libcurl does not know an option") }
    unsafe curl_multi_add_handle(transfers, handle)
    let result = try withExtendedLifetime(sink) { () throws(Failure) in
      try unsafe Self.transfer(transfers, isStopped)
    }
    // Checked first: what is too large was cut off by ourselves, which libcurl takes for a failure.
    guard !sink.isFull else { throw .tooLarge }
    guard result == CURLE_OK else { throw unsafe .transport(String(cString: curl_easy_strerror(result))) }
    let status = unsafe roost_curl_status(handle)
    guard status == 200 else { throw .status(status) }
    return sink.bytes
  }

  private static func transfer(
    _ transfers: UnsafeMutableRawPointer, _ isStopped: () -> Bool
  ) throws(Failure) -> CURLcode {
    // A server that is gone must not end the process; libcurl leaves that to us.
    blockBrokenPipes()
    var running: CInt = 1
    while true {
      guard unsafe curl_multi_perform(transfers, &running) == CURLM_OK else { throw .transport("libcurl gave up") }
      if running == 0 { break }
      if isStopped() { throw .stopped }
      unsafe curl_multi_poll(transfers, nil, 0, pause, nil)
    }
    var left: CInt = 0
    guard let message = unsafe curl_multi_info_read(transfers, &left), unsafe message.pointee.msg == CURLMSG_DONE else {
      throw .transport("libcurl gave up")
    }
    return unsafe message.pointee.data.result
  }

  private func setOptions(_ handle: UnsafeMutableRawPointer, _ sink: Sink) -> Bool {
    let numbers: [(CURLoption, Int)] = [
      (CURLOPT_TIMEOUT_MS, milliseconds), (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0),
      (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2), (CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
      // A name server that does not answer must not hold up the end.
      (CURLOPT_QUICK_EXIT, 1),
    ]
    let texts: [(CURLoption, String?)] = [
      (CURLOPT_URL, url), (CURLOPT_PROTOCOLS_STR, "https"), (CURLOPT_REDIR_PROTOCOLS_STR, "https"),
      // Empty: none, whatever the environment says.
      (CURLOPT_PROXY, ""), (CURLOPT_USERAGENT, "roost"), (CURLOPT_CAINFO, caFile),
    ]
    let context = unsafe Unmanaged.passUnretained(sink).toOpaque()
    return unsafe numbers.allSatisfy { unsafe roost_curl_set_number(handle, $0, $1) == CURLE_OK }
      && texts.allSatisfy { unsafe $1 == nil || roost_curl_set_text(handle, $0, $1) == CURLE_OK }
      && roost_curl_set_pointer(handle, CURLOPT_WRITEDATA, context) == CURLE_OK
      && roost_curl_set_pointer(handle, CURLOPT_HEADERDATA, context) == CURLE_OK
      && roost_curl_set_sink(handle, CURLOPT_WRITEFUNCTION, Self.takeBody) == CURLE_OK
      && roost_curl_set_sink(handle, CURLOPT_HEADERFUNCTION, Self.takeHeader) == CURLE_OK
  }

  /// What the callbacks fill.
  private final class Sink {
    private(set) var bytes: [UInt8] = []
    private(set) var isFull = false
    private let limit: Int
    private var headerBytes = 0

    init(limit: Int) { self.limit = limit }

    func take(_ body: UnsafeBufferPointer<UInt8>) -> Int {
      guard bytes.count + body.count <= limit else {
        isFull = true
        return 0
      }
      unsafe bytes.append(contentsOf: body)
      return body.count
    }

    func skipHeader(_ count: Int) -> Int {
      headerBytes += count
      guard headerBytes <= SecureGet.headerLimit else {
        isFull = true
        return 0
      }
      return count
    }
  }

  private static let takeBody: roost_curl_sink = { bytes, size, count, context in
    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
    let sink = unsafe Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
    return unsafe bytes.withMemoryRebound(to: UInt8.self, capacity: size * count) {
      unsafe sink.take(UnsafeBufferPointer(start: $0, count: size * count))
    }
  }

  private static let takeHeader: roost_curl_sink = { _, size, count, context in
    guard let context = unsafe context else { return 0 }
    return unsafe Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue().skipHeader(size * count)
  }

  /// Once for the process.
  private static let isInitialised = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  private static func blockBrokenPipes() {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGPIPE)
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }
}
