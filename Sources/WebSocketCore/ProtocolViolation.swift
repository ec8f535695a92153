/// What a peer did wrong. After one of these the byte stream is out of step: say why, close, read no more.
public enum ProtocolViolation: Error, Equatable, CaseIterable, Sendable {
  /// An RSV bit that no extension gives a meaning to: RSV2, RSV3, and RSV1 without permessage-deflate, or with it
  /// anywhere but on the first frame of a message.
  case reservedBits
  /// An opcode the RFC keeps for later.
  case reservedOpcode
  /// A client's frame without mask.
  case unmaskedFrame
  /// A server's frame with mask.
  case maskedFrame
  /// A control frame of more than 125 bytes.
  case longControlFrame
  /// A control frame that is not final.
  case fragmentedControlFrame
  /// A continuation of nothing.
  case unexpectedContinuation
  /// A new message before the last one's final frame.
  case unfinishedMessage
  /// A length in more bytes than it needs.
  case nonMinimalLength
  /// A length with its highest bit set.
  case impossibleLength
  /// A close frame with one byte, or with a code that must not be sent.
  case invalidClose
  /// A text, or a close reason, that is not UTF-8.
  case invalidUTF8
  /// A compressed message that no compressor makes. RFC 7692 gives no code for it; 1007 says that the data of a
  /// message is not what its header announced, while its framing was right.
  case invalidCompression
  /// A compressed message in far more blocks than it needs, which cost the peer little and us much.
  case tooManyBlocks
  /// More bytes than the limit, by the header of the frame and what came before it, or by what a compressed message
  /// turns out to hold.
  case messageTooBig
  /// More frames in one message than the limit.
  case tooManyFragments
  /// Too many empty continuations in a row, which cost the peer little and bring nothing.
  case emptyFragments
}

extension CloseCode {
  /// The one place where a violation becomes a number on the wire.
  public init(_ violation: ProtocolViolation) {
    self =
      switch violation {
      case .reservedBits, .reservedOpcode, .unmaskedFrame, .maskedFrame, .longControlFrame,
        .fragmentedControlFrame, .unexpectedContinuation, .unfinishedMessage, .nonMinimalLength,
        .impossibleLength, .invalidClose:
        .protocolError
      case .invalidUTF8, .invalidCompression: .invalidPayload
      case .messageTooBig: .messageTooBig
      case .tooManyFragments, .emptyFragments, .tooManyBlocks: .policyViolation
      }
  }
}
