import Buffers
import RealtimeCore
import Telemetry
import Testing
import WebSocketCore

@testable import RoostServer

/// What messages are counted as.
@Suite("Counters")
struct CounterTests {
  @Test func `kinds have places of their own`() {
    var counters = ShardCounters()
    #expect(counters.receivedKinds.count == ReceivedKind.allCases.count)
    #expect(counters.sentKinds.count == SentKind.allCases.count)
    for kind in ReceivedKind.allCases { for _ in 0...kind.rawValue { counters.receive(kind) } }
    for kind in SentKind.allCases { counters.send(kind, 100 + kind.rawValue) }
    (counters.open, counters.bytesSent, counters.deliveries) = (7, 8, 9)
    let shared = SharedCounters()
    shared.publish(counters)
    let sum = shared.snapshot + shared.snapshot
    for kind in ReceivedKind.allCases { #expect(sum[kind] == 2 * (kind.rawValue + 1)) }
    for kind in SentKind.allCases { #expect(sum[kind] == 2 * (100 + kind.rawValue)) }
    #expect(sum.open == 14 && sum.bytesSent == 16 && sum.deliveries == 18)
    #expect(sum.received == 2 * ReceivedKind.allCases.reduce(0) { $0 + $1.rawValue + 1 })
  }

  /// Every message of PROTOCOL.md, by its name.
  @Test(arguments: SentKind.allCases.filter { $0 != .echo && $0 != .other })
  func `messages are known by their text`(kind: SentKind) {
    for text in [#"{"type":"\#(kind.word)","room":"r"}"#, #"{"type":"\#(kind.word)"}"#] {
      let bytes = Array(text.utf8)
      #expect(unsafe SentKind(text: bytes.span.bytes) == kind)
      var frame = ByteBuffer()
      FrameWriter.append(.text, unsafe bytes.span.bytes, to: &frame)
      #expect(SentKind(frame: frame.bytes) == kind)
    }
  }

  @Test(arguments: ["", "{}", #"{"type":""}"#, #"{"type":"user_"}"#, "hello, this is no message", #"{"type":"ackn""#])
  func `others are told apart`(text: String) {
    let bytes = Array(text.utf8)
    #expect(unsafe SentKind(text: bytes.span.bytes) == .other)
  }

  /// What the hub and the shards really write; a new message that nobody counts would be found by this.
  @Test func `what is written is counted by its name`() {
    var texts: [String] = []
    var buffer = ByteBuffer()
    func take(_ write: (inout ByteBuffer) -> Void) {
      buffer.removeAll()
      write(&buffer)
      texts.append(String(decoding: buffer.array(), as: UTF8.self))
      #expect(SentKind(text: buffer.bytes) != .other, "\(texts.last ?? "")")
    }
    let stamp = Timestamp(milliseconds: 0)
    take { ServerMessage.appendError(.notInRoom, to: &$0) }
    take { ServerMessage.appendAck(recipients: 1, isPartial: false, to: &$0) }
    take { ServerMessage.appendPong(timestamp: stamp, id: RawSpan(), to: &$0) }
    take { ServerMessage.appendRelayStatus(isDegraded: true, to: &$0) }
    #expect(texts.count == 4)
  }
}
