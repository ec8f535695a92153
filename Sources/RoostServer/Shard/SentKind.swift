import Buffers
import Telemetry
import WebSocketCore

/// What a message to a client is, for the metrics.
///
/// Read from the text itself, whose type always comes first: `{"type":"new_message"…`. So it costs a few instructions
/// once a text, however many get it, and nothing has to be carried along.
enum SentKind: Int, CountedReason {
  case newMessage, userJoined, userLeft, userTyping, userStoppedTyping, roomInfo, onlineUsers, history, ack, error
  case `private`, chat, notification, presenceSync, resync, relayStatus, tokenExpiring, serverDraining, pong
  /// To a client of the echo path.
  case echo
  case other

  /// The first four letters, lowest first, tell all of them but those about users, whose sixth does.
  init(text: borrowing RawSpan) {
    let start = #"{"type":""#.utf8.count
    guard text.byteCount > start + 4 else {
      self = .other
      return
    }
    self =
      switch text.littleEndian32(at: start) {
      case 0x5f77_656e: .newMessage  // new_
      case 0x7265_7375: text.byteCount > start + 5 ? Self(aboutUser: text.byte(at: start + 5)) : .other  // user
      case 0x226b_6361: .ack  // ack"
      case 0x6d6f_6f72: .roomInfo  // room
      case 0x6f72_7265: .error  // erro
      case 0x676e_6f70: .pong  // pong
      case 0x7473_6968: .history  // hist
      case 0x696c_6e6f: .onlineUsers  // onli
      case 0x7669_7270: .private  // priv
      case 0x7461_6863: .chat  // chat
      case 0x6974_6f6e: .notification  // noti
      case 0x7365_7270: .presenceSync  // pres
      case 0x7973_6572: .resync  // resy
      case 0x616c_6572: .relayStatus  // rela
      case 0x656b_6f74: .tokenExpiring  // toke
      case 0x7672_6573: .serverDraining  // serv
      default: .other
      }
  }

  /// The same for a text in one of our own frames, which is not compressed.
  init(frame: borrowing RawSpan) {
    self.init(text: frame.extracting(FrameWriter.headerLength(of: frame)..<frame.byteCount))
  }

  /// `user_joined`, `user_left`, `user_typing`, `user_stopped_typing`.
  private init(aboutUser letter: UInt8) {
    self =
      switch letter {
      case UInt8(ascii: "j"): .userJoined
      case UInt8(ascii: "l"): .userLeft
      case UInt8(ascii: "t"): .userTyping
      case UInt8(ascii: "s"): .userStoppedTyping
      default: .other
      }
  }
}
