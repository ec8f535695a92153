public import Buffers

/// Reads the messages of one connection out of the bytes that arrive, however the network cut them.
///
/// A message that lies whole and unfragmented in the caller's buffer is unmasked there and handed out as a range:
/// no copy, no memory. Only what arrives in pieces is gathered in memory of the reader's own, which grows with the
/// bytes received, never to a length that was only announced. A text is checked while it is gathered, so bad
/// UTF-8 is refused before its message ends.
///
/// ```swift
/// var offset = 0
/// var span = received.mutableBytes
/// while let event = try reader.next(in: &span, at: &offset, limits: limits) { … }
/// received.removeFirst(offset)  // at most 130 bytes stay: a header, or a control frame that is not complete
/// ```
///
/// The reader is 39 bytes. A whole masked message of 64 to 200 bytes costs about 20 ns, with the text check 40 (release
/// build with cross-module optimisation, two shared cores): little beside the system call that brought it.
///
/// After a thrown ``ProtocolViolation`` the stream is out of step and the reader must not be asked again.
public struct MessageReader: ~Copyable {
  /// The message of the last ``Event/assembled(_:)`` or ``Event/assembledCompressed(_:)``, until the next call of
  /// ``next(in:at:limits:)`` gives its memory back. At other times what has arrived of a message.
  public private(set) var assembled = ByteBuffer()
  /// What is missing of the frame in ``Phase/inFrame``, and the mask key turned to its next byte.
  private var missingBytes: UInt32 = 0
  private var maskKey: UInt32 = 0
  private var fragments: UInt32 = 0
  private var emptyFragments: UInt8 = 0
  private var phase = Phase.idle
  private var opcode = Opcode.text
  private var isFinal = false
  private var isCompressed = false
  private var text = UTF8Validator()
  private let side: Side

  /// Which end of the connection reads. A server takes only masked frames, a client only unmasked ones.
  public enum Side: Sendable { case server, client }

  /// What one peer may send. One value serves all connections.
  public struct Limits: Equatable, Sendable {
    /// Bytes in one message, 0 to 2^30, over all its fragments. Beyond: ``ProtocolViolation/messageTooBig``.
    public var messageBytes: Int
    /// Frames in one message, 1 to 2^30. Beyond: ``ProtocolViolation/tooManyFragments``.
    public var fragments: Int
    /// Empty continuations in a row that are not the last, 0 to 254. Beyond: ``ProtocolViolation/emptyFragments``.
    public var emptyFragments: Int
    /// Whether a text that lies whole in the buffer is checked to be UTF-8. False when what reads the message
    /// next checks anyway, as the envelope scanner does. Gathered texts are always checked.
    public var checksText: Bool
    /// Bytes in one compressed message as it is on the wire, 1 to 2^30, when permessage-deflate was agreed on. What
    /// it holds is for its reader to limit. 0: it was not, and a compressed message is refused.
    public var compressedBytes: Int

    public init(
      messageBytes: Int = 4096, fragments: Int = 64, emptyFragments: Int = 8, checksText: Bool = true,
      compressedBytes: Int = 0
    ) {
      precondition((0...1 << 30).contains(messageBytes) && (0...1 << 30).contains(compressedBytes))
      precondition((1...1 << 30).contains(fragments) && (0..<0xFF).contains(emptyFragments))
      self.messageBytes = messageBytes
      self.fragments = fragments
      self.emptyFragments = emptyFragments
      self.checksText = checksText
      self.compressedBytes = compressedBytes
    }

    /// The same for a connection that agreed on permessage-deflate. An eighth more than ``messageBytes`` may be on
    /// the wire, for there are compressors that make eight bits into nine when nothing repeats.
    public func takingCompressed() -> Self {
      var limits = self
      limits.compressedBytes = min(messageBytes + messageBytes / 8 + 64, 1 << 30)
      return limits
    }
  }

  /// What the peer sent. Ranges are places in the caller's buffer, already unmasked.
  public enum Event: Equatable, Sendable {
    /// A whole message (``Opcode/text`` or ``Opcode/binary``) in place.
    case message(Opcode, Range<Int>)
    /// A whole message that came in pieces: read ``MessageReader/assembled`` before asking for the next event.
    case assembled(Opcode)
    /// As ``message(_:_:)``, compressed: nothing of its content was looked at (RFC 7692 section 6.2).
    case compressed(Opcode, Range<Int>)
    /// As ``assembled(_:)``, compressed.
    case assembledCompressed(Opcode)
    /// To be answered by a pong with the same payload (at most 125 bytes).
    case ping(Range<Int>)
    /// Answers a ping of ours, or nothing (RFC 6455, section 5.5.3).
    case pong(Range<Int>)
    /// The peer closes: its code, nil when it gave none, and its reason, which is UTF-8. Nothing may follow.
    case close(CloseCode?, reason: Range<Int>)
  }

  /// Where in a message the stream stands.
  private enum Phase: UInt8 {
    /// Between messages.
    case idle
    /// Within a frame of ``missingBytes`` more.
    case inFrame
    /// After a fragment that was not the last.
    case betweenFragments
    /// `assembled` was handed out and is forgotten on the next call.
    case handedOut
  }

  public init(side: Side) { self.side = side }

  /// Whether a message has begun that is not complete. Its owner decides how long that may last; a header or a
  /// control frame in the caller's leftover bytes does not count.
  public var isAssembling: Bool { phase == .inFrame || phase == .betweenFragments }

  /// ``assembled`` to keep, without copying it.
  public mutating func takeAssembled() -> ByteBuffer {
    precondition(phase == .handedOut, "no assembled message to take")
    phase = .idle
    var taken = ByteBuffer()
    swap(&taken, &assembled)
    return taken
  }

  /// The next event in `bytes` from `offset` on, which moves past what was read.
  ///
  /// Returns nil when more bytes are needed: keep those from `offset` on (at most 130: half a header or half a
  /// control frame), append what arrives, ask again. `offset` never moves past the end of `bytes`.
  public mutating func next(
    in bytes: inout MutableRawSpan, at offset: inout Int, limits: Limits
  ) throws(ProtocolViolation) -> Event? {
    precondition(offset >= 0 && offset <= bytes.byteCount)
    if phase == .handedOut { forget() }
    while true {
      if phase == .inFrame, try !takePiece(of: &bytes, at: &offset) { return nil }
      if phase == .handedOut { return isCompressed ? .assembledCompressed(opcode) : .assembled(opcode) }
      guard
        let header = try FrameHeader(
          bytes.bytes, at: offset, masked: side == .server, takesCompressed: limits.compressedBytes > 0)
      else { return nil }
      let payload = offset &+ header.byteCount
      let isWhole = bytes.byteCount &- payload >= header.payloadBytes
      if header.isMessage && isWhole && phase == .idle && header.payloadBytes <= limits.bytes(header.isCompressed) {
        offset = payload &+ header.payloadBytes
        return try whole(header, payload..<offset, &bytes, limits.checksText)
      }
      if header.opcode.isControl {
        guard isWhole else { return nil }
        offset = payload &+ header.payloadBytes
        return try control(header, payload..<offset, &bytes)
      }
      try admit(header, limits)
      begin(header)
      offset = payload
    }
  }

  // MARK: One frame

  /// A message in one piece: the way nearly all of them take.
  private func whole(
    _ header: FrameHeader, _ payload: Range<Int>, _ bytes: inout MutableRawSpan, _ checksText: Bool
  ) throws(ProtocolViolation) -> Event {
    unmask(payload, header.maskKey, &bytes)
    if header.isCompressed { return .compressed(header.opcode, payload) }
    if checksText && header.opcode == .text && !UTF8Validator.isValid(bytes.bytes.extracting(payload)) {
      throw .invalidUTF8
    }
    return .message(header.opcode, payload)
  }

  private func control(
    _ header: FrameHeader, _ payload: Range<Int>, _ bytes: inout MutableRawSpan
  ) throws(ProtocolViolation) -> Event {
    unmask(payload, header.maskKey, &bytes)
    switch header.opcode {
    case .ping: return .ping(payload)
    case .pong: return .pong(payload)
    case .close, .continuation, .text, .binary: return try close(payload, bytes.bytes)
    }
  }

  private func close(_ payload: Range<Int>, _ bytes: borrowing RawSpan) throws(ProtocolViolation) -> Event {
    guard !payload.isEmpty else { return .close(nil, reason: payload) }
    guard payload.count >= 2 else { throw .invalidClose }
    let code = CloseCode(rawValue: bytes.bigEndian16(at: payload.lowerBound))
    guard code.isValidOnWire else { throw .invalidClose }
    let reason = payload.lowerBound + 2..<payload.upperBound
    guard UTF8Validator.isValid(bytes.extracting(reason)) else { throw .invalidUTF8 }
    return .close(code, reason: reason)
  }

  private func unmask(_ payload: Range<Int>, _ key: UInt32, _ bytes: inout MutableRawSpan) {
    if key != 0 { applyMask(key, to: &bytes, in: payload) }
  }

  // MARK: Messages in pieces

  /// Decides from the header alone whether its frame may come now.
  private func admit(_ header: FrameHeader, _ limits: Limits) throws(ProtocolViolation) {
    if header.opcode == .continuation {
      guard phase == .betweenFragments else { throw .unexpectedContinuation }
      guard Int(fragments) < limits.fragments else { throw .tooManyFragments }
      let wasteful = header.payloadBytes == 0 && !header.isFinal
      guard !wasteful || Int(emptyFragments) < limits.emptyFragments else { throw .emptyFragments }
    } else {
      guard phase == .idle else { throw .unfinishedMessage }
    }
    // The bit is on the first frame and says how all of them count.
    let isCompressed = header.opcode == .continuation ? self.isCompressed : header.isCompressed
    // A difference, not a sum: the announced length may be close to 2^63.
    guard header.payloadBytes <= limits.bytes(isCompressed) &- assembled.count else { throw .messageTooBig }
  }

  /// Enters a frame whose payload goes into `assembled`.
  private mutating func begin(_ header: FrameHeader) {
    if header.opcode == .continuation {
      fragments &+= 1
      emptyFragments = header.payloadBytes == 0 ? emptyFragments &+ 1 : 0
    } else {
      opcode = header.opcode
      isCompressed = header.isCompressed
      (fragments, emptyFragments) = (1, 0)
      text = UTF8Validator()
    }
    isFinal = header.isFinal
    missingBytes = UInt32(header.payloadBytes)
    maskKey = header.maskKey
    phase = .inFrame
  }

  /// Takes what is there of the current frame. False when it needs more.
  private mutating func takePiece(
    of bytes: inout MutableRawSpan, at offset: inout Int
  ) throws(ProtocolViolation) -> Bool {
    let piece = offset..<offset &+ min(Int(missingBytes), bytes.byteCount &- offset)
    maskKey = applyMask(maskKey, to: &bytes, in: piece)
    let content = bytes.bytes.extracting(piece)
    if opcode == .text && !isCompressed && !text.consume(content) { throw .invalidUTF8 }
    assembled.append(content)
    missingBytes &-= UInt32(piece.count)
    offset = piece.upperBound
    guard missingBytes == 0 else { return false }
    if isFinal && !text.isComplete { throw .invalidUTF8 }
    phase = isFinal ? .handedOut : .betweenFragments
    return true
  }

  private mutating func forget() {
    assembled.release()
    phase = .idle
  }
}

extension MessageReader.Limits {
  /// The most bytes of one message on the wire.
  fileprivate func bytes(_ isCompressed: Bool) -> Int { isCompressed ? compressedBytes : messageBytes }
}
