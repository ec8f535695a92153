import RealtimeCore
import RoostTesting
import Testing

/// What a repeated top-level key does, however it is written and however many others there are.
@Suite struct EnvelopeTests {
  @Test(arguments: [
    #"{"type":"ping","type":"ping"}"#,
    #"{"type":"ping","t\u0079pe":"ping"}"#,
    #"{"type":"ping","x":1,"x":2}"#,
    #"{"type":"ping","x":1,"\u0078":2}"#,
    #"{"type":"ping","\u0078":1,"x":2}"#,
    #"{"type":"ping","":1,"":2}"#,
    #"{"type":"ping","payload":{"room_id":"a","room_id":"a"}}"#,
    #"{"type":"ping","payload":{"room_id":"a","room\u005fid":"a"}}"#,
  ])
  func `repeated keys are refused`(text: String) {
    #expect(refusal(text)?.mistake == .invalidFormat)
  }

  @Test(arguments: [
    #"{"type":"ping","a":{"x":1,"x":2}}"#,
    #"{"type":"ping","\u0078":1,"y":2}"#,
    #"{"type":"ping","payload":{"a":{"room_id":1},"b":{"room_id":2}}}"#,
  ])
  func `keys may repeat elsewhere`(text: String) {
    #expect(parse(text) == .ping(id: nil))
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `a repetition among many unknown keys is found`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var keys = (0..<Int.random(in: 1...500, using: &generator)).map { "k\($0)" }
    keys.shuffle(using: &generator)
    func message() -> String { #"{"type":"ping","# + keys.map { "\"\($0)\":0" }.joined(separator: ",") + "}" }
    #expect(parse(message()) == .ping(id: nil))
    keys.insert(keys.randomElement(using: &generator) ?? "", at: .random(in: 0...keys.count, using: &generator))
    #expect(refusal(message())?.mistake == .invalidFormat)
  }
}
