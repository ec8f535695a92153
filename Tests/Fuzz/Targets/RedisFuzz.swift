#if DEBUG || FUZZING
  import RealtimeCore

  @testable import RedisRelay

  /// Bytes in Redis' place, through hiredis' reader and our decoder.
  ///
  /// - Replies are the same however the network cut the bytes, and so is what ends them.
  /// - Nothing is held beyond the limits, whatever lengths were announced.
  /// - A reply of any shape is decoded to an answer of the question's size, or refused.
  enum RedisFuzz {
    private static let itemLimit = 256

    static func run(_ bytes: [UInt8]) throws(Finding) {
      let whole = try replies(bytes, ends: [bytes.count], byteLimit: 1 << 16)
      for ends in Pieces.ways(bytes) {
        let pieces = try replies(bytes, ends: ends, byteLimit: 1 << 16)
        try demand(pieces.items == whole.items && pieces.error == whole.error, "replies depend on how they are cut")
        _ = try replies(bytes, ends: ends, byteLimit: 64)
      }
    }

    private struct Heard {
      var items: [[Reply.Item]] = []
      var error: MalformedReply?
    }

    private static func replies(_ bytes: [UInt8], ends: [Int], byteLimit: Int) throws(Finding) -> Heard {
      var reader = ReplyReader(byteLimit: byteLimit, itemLimit: itemLimit)
      var reply = Reply()
      var heard = Heard()
      var start = 0
      for end in ends {
        do {
          try unsafe reader.feed(bytes.span.bytes.extracting(start..<end))
          while try reader.next(into: &reply) {
            heard.items.append(reply.items)
            try demand(reply.items.count <= itemLimit + 1, "\(reply.items.count) items in one reply")
            try demand(reply.bytes.count <= bytes.count, "more text than was sent")
            for shape in shapes { try check(reply, shape) }
          }
        } catch let error as MalformedReply {
          heard.error = error
          return heard
        } catch let finding as Finding {
          throw finding
        } catch {
          throw Finding(description: "\(error)")
        }
        start = end
      }
      return heard
    }

    private static let shapes: [RequestShape] = {
      guard let room = RoomName("r") else { return [] }
      return [
        .publish(room, count: 2), .read([(room, nil), (room, Position(epoch: "e", offset: 3))]), .roster(room),
        .history, .counted(2), .changed, .alive, .reaped, .online, .sent, .revoked, .revocations(3),
      ]
    }()

    private static func check(_ reply: Reply, _ shape: RequestShape) throws(Finding) {
      var reply = reply
      guard let answer = try? reply.decode(shape) else { return }
      switch (shape, answer) {
      case (.publish(_, let count), .published(let outcomes)):
        try demand(outcomes.count == count, "\(outcomes.count) outcomes for \(count) messages")
      case (.read(let rooms), .read(let reads)):
        try demand(reads.map(\.room) == rooms.map(\.room), "the answer is about other rooms")
      case (.history, .history(let history)):
        let offsets = history.messages.map(\.offset)
        try demand(offsets == offsets.sorted() && offsets.count <= JoinWish.historyLimit, "no history: \(offsets)")
      default: break
      }
    }
  }
#endif
