import Buffers
import EventLoops
import HTTPCore
import Transport
import WebSocketCore

/// One connection to the server: bytes in, messages out. Belongs to its loop's thread.
final class ServerLine {
  enum News {
    case opened
    case text([UInt8])
    /// Nothing follows.
    case ended(ClientCore.Ending)
  }

  /// What the loop knows it by.
  let token: UInt64
  private let stream: ByteStream
  private let limits: MessageReader.Limits
  private var isConnecting = true
  /// Until it is answered.
  private var handshake: ClientHandshake?
  private var hasSaidClose = false
  private var watchesWriting = true
  private var reader = MessageReader(side: .client)
  private var outgoing = ByteBuffer()
  /// Received, and not complete.
  private var leftover = ByteBuffer()

  /// - Parameter request: what asks for the upgrade that `handshake` waits for.
  init(
    _ stream: consuming ByteStream, token: UInt64, _ handshake: ClientHandshake, request: consuming ByteBuffer,
    messageBytes: Int
  ) {
    self.stream = stream
    self.token = token
    // The scanner of JSON checks texts.
    limits = MessageReader.Limits(messageBytes: messageBytes, fragments: 1_024, checksText: false)
    self.handshake = handshake
    outgoing = request
  }

  var descriptor: CInt { stream.descriptor }

  // MARK: Saying

  func send(_ text: [UInt8]) {
    guard handshake == nil, !hasSaidClose else { return }
    unsafe FrameWriter.append(.text, text.span.bytes, key: Self.mask, to: &outgoing)
  }

  func ping() {
    guard handshake == nil, !hasSaidClose else { return }
    FrameWriter.append(.ping, RawSpan(), key: Self.mask, to: &outgoing)
  }

  func close(_ code: CloseCode) {
    guard handshake == nil, !hasSaidClose else { return }
    FrameWriter.appendClose(code.isValidOnWire ? code : .normal, key: Self.mask, to: &outgoing)
    hasSaidClose = true
  }

  /// Makes the end, which comes when this is released, one without a word.
  func reset() { stream.resetOnClose() }

  /// Gives the kernel what was said.
  func flush(_ loop: EventLoop) {
    guard !isConnecting else { return }
    give()
    // A handshake of TLS that waits for the server is moved on by reading.
    let needsWritable = stream.noteNeeds()
    let waits = needsWritable || !outgoing.isEmpty && stream.isEstablished
    guard waits != watchesWriting else { return }
    watchesWriting = waits
    loop.modify(descriptor, token: token, interest: waits ? [.read, .write] : .read)
  }

  private func give() {
    var waiting = ByteBuffer()
    swap(&waiting, &outgoing)
    sending: while !waiting.isEmpty {
      switch stream.send(waiting.bytes) {
      case .done(let count): waiting.removeFirst(count)
      case .wouldBlock: break sending
      // Reading will tell what became of the connection.
      case .endOfStream, .failed: waiting.release()
      }
    }
    swap(&waiting, &outgoing)
  }

  // MARK: Hearing

  /// The loop has something about this line.
  func handle(_ event: EventBuffer.Event, _ buffer: inout ReceiveBuffer) -> [News] {
    if isConnecting {
      let error = stream.takeError()
      guard error == 0 else {
        return [.ended(.failed(SystemError(call: "connect", code: error).description))]
      }
      isConnecting = false
    }
    var news: [News] = []
    // TLS has to be moved on by whoever is told of anything.
    if event.isReadable || stream.isSecure { receive(&buffer, &news) }
    while stream.isSecure, stream.holdsMore, !Self.isOver(news) { receive(&buffer, &news) }
    return news
  }

  private static func isOver(_ news: [News]) -> Bool {
    if case .ended = news.last { true } else { false }
  }

  private func receive(_ buffer: inout ReceiveBuffer, _ news: inout [News]) {
    var kept = ByteBuffer()
    swap(&kept, &leftover)
    buffer.start(with: kept.bytes)
    var space = buffer.space
    switch stream.receive(into: &space) {
    case .wouldBlock: swap(&kept, &leftover)
    case .endOfStream: news.append(.ended(ending("the server ends the connection")))
    case .failed(let code):
      if let reason = stream.distrust { return news.append(.ended(.untrusted(reason))) }
      news.append(.ended(ending(stream.failure ?? SystemError(call: "receive", code: code).description)))
    case .done(let count):
      buffer.fill(count)
      var content = buffer.content
      read(&content, &news)
    }
  }

  private func ending(_ reason: String) -> ClientCore.Ending { handshake == nil ? .lost : .failed(reason) }

  /// Reads all that is complete and keeps the rest.
  private func read(_ content: inout MutableRawSpan, _ news: inout [News]) {
    var offset = 0
    if let handshake {
      do throws(ClientHandshake.Failure) {
        guard let response = try handshake.response(in: content.bytes) else { return leftover.append(content.bytes) }
        offset = response.byteCount
      } catch {
        return news.append(.ended(Self.refusal(error, content.bytes)))
      }
      self.handshake = nil
      news.append(.opened)
    }
    do throws(ProtocolViolation) {
      while let event = try reader.next(in: &content, at: &offset, limits: limits) {
        if handle(event, content.bytes, &news) { return }
      }
      leftover.append(content.bytes.extracting(offset..<content.byteCount))
    } catch {
      news.append(.ended(.violation("the server broke the protocol: \(error)")))
    }
  }

  /// True at the end.
  private func handle(_ event: MessageReader.Event, _ content: borrowing RawSpan, _ news: inout [News]) -> Bool {
    switch event {
    case .message(_, let range): news.append(.text(Self.bytes(content.extracting(range))))
    case .assembled: news.append(.text(reader.takeAssembled().array()))
    case .ping(let payload):
      if !hasSaidClose { FrameWriter.append(.pong, content.extracting(payload), key: Self.mask, to: &outgoing) }
    // Compressed messages are refused as long as nobody offers to take them.
    case .pong, .compressed, .assembledCompressed: break
    case .close(let code, let reason):
      close(code ?? .normal)
      // The answer goes out at once, for the line is forgotten with this turn.
      give()
      let text = String(decoding: Self.bytes(content.extracting(reason)), as: UTF8.self)
      news.append(.ended(.closed(code: Int((code ?? .noStatus).rawValue), reason: text)))
      return true
    }
    return false
  }

  private static func refusal(_ failure: ClientHandshake.Failure, _ bytes: borrowing RawSpan) -> ClientCore.Ending {
    guard case .refused(let status) = failure else { return .refused(status: 0, retryAfter: nil) }
    var parser = ResponseParser()
    guard let head = try? parser.parse(bytes), let range = head.fields.value(of: "retry-after", in: bytes),
      let seconds = Int64(String(decoding: Self.bytes(bytes.extracting(range)), as: UTF8.self)), seconds >= 0
    else { return .refused(status: status, retryAfter: nil) }
    return .refused(status: status, retryAfter: min(seconds, 3_600) * 1_000)
  }

  private static func bytes(_ span: borrowing RawSpan) -> [UInt8] { unsafe span.withUnsafeBytes { unsafe Array($0) } }

  /// Servers must not be able to guess them (RFC 6455 section 5.3).
  private static var mask: UInt32 { .random(in: .min ... .max) }
}
