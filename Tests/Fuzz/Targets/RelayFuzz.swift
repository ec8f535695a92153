import Buffers
import RealtimeCore

/// The relay channel and what clients do meanwhile, with a hub and the memory relay behind it.
///
/// - A frame that was read, written for clients, is JSON; nothing that only nodes may see is in it.
/// - The hub stops for nothing, and every text it writes is one JSON object.
///
/// An input is lines. What a line is about its first byte says; the rest is its argument:
///
///     0 1 2   a client's message on that connection         +n -n   connection n comes, goes
///     f d     a frame on the channel, on the node's own     t       milliseconds pass
///     p q     another node stores a message; its frame      h r     answers wait; the first one comes
///             comes, is lost                                R       the first one comes with numbers of the line's
///     s       the relay's state                             x       the relay loses everything
///     v       a backend revokes the token, or the user      k       a backend throws out the user `ann`
///     n       a backend wants the node of that name drained  a       the node drains, connection n is sent away
///
/// In frames and messages the epoch `E` stands for the room's own; the nodes' token is `local`.
enum RelayFuzz {
  static func run(_ bytes: [UInt8]) throws(Finding) {
    var bench = HubBench()
    for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(100) {
      try checkFrame(Array(line.dropFirst()))
      try bench.perform(line)
    }
    try bench.advance(10_000)
  }

  private static func checkFrame(_ bytes: [UInt8]) throws(Finding) {
    guard let frame = unsafe try? RelayFrame.parse(bytes.span.bytes) else { return }
    var scratch = ByteBuffer()
    let envelope = unsafe RelayEnvelope(frame, of: bytes.span.bytes, scratch: &scratch)
    for isOwn in [false, true] {
      var text = ByteBuffer()
      envelope.appendClientFrame(to: &text, offset: frame.offset, includingClientID: isOwn)
      let seen = text.array()
      try demand(JSONDifference.problem(in: seen) == nil, "no JSON: \(String(decoding: seen, as: UTF8.self))")
      if let token = frame.token {
        let keys = Self.keys(of: seen)
        try demand(!keys.contains("token") && !keys.contains("node"), "a client sees \(bytes[token])")
      }
      if let offset = frame.offset {
        let count = envelope.clientFrameCount(offset: offset, includingClientID: isOwn)
        try demand(seen.count == count, "\(seen.count) bytes, foretold \(count)")
      }
    }
  }

  private static func keys(of text: [UInt8]) -> [String] {
    var scanner = JSONScanner(keyLimit: .max)
    var keys: [String] = []
    do throws(JSONProblem) {
      var next = try unsafe scanner.enterObject(text.span.bytes)
      while let key = next {
        keys.append(unsafe key.text(in: text.span.bytes))
        _ = try unsafe scanner.value(text.span.bytes)
        next = try unsafe scanner.nextKey(text.span.bytes)
      }
    } catch {}
    return keys
  }
}
