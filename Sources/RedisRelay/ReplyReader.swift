import CHiredis

/// The door to hiredis: its reader, with reply functions of our own that write into a flat ``Reply``.
///
/// hiredis bounds the depth (7 arrays in each other); bytes and elements are bounded here, because the reader itself
/// would believe `*1000000000`. After a thrown error the reader is of no more use.
@safe
struct ReplyReader: ~Copyable {
  /// What the C callbacks reach through `privdata`.
  private struct Sink {
    var reply = Reply()
    var announced = 0
    let itemLimit: Int
  }

  private let reader: UnsafeMutablePointer<redisReader>
  private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
  private let sink: UnsafeMutablePointer<Sink>
  private let byteLimit: Int

  /// - Parameters:
  ///   - byteLimit: bytes that may wait for the rest of their reply.
  ///   - itemLimit: array elements that one reply may announce, all its arrays together.
  init(byteLimit: Int, itemLimit: Int) {
    self.byteLimit = byteLimit
    unsafe sink = .allocate(capacity: 1)
    unsafe sink.initialize(to: Sink(itemLimit: itemLimit))
    unsafe functions = .allocate(capacity: 1)
    unsafe functions.initialize(to: Self.makeFunctions())
    unsafe reader = redisReaderCreateWithFunctions(functions)
    unsafe reader.pointee.privdata = UnsafeMutableRawPointer(sink)
  }

  deinit {
    unsafe redisReaderFree(reader)
    unsafe functions.deallocate()
    unsafe sink.deinitialize(count: 1)
    unsafe sink.deallocate()
  }

  mutating func feed(_ bytes: borrowing RawSpan) throws(MalformedReply) {
    let held = unsafe Int(reader.pointee.len) - Int(reader.pointee.pos)
    guard held + bytes.byteCount <= byteLimit else { throw .tooLong }
    let result = unsafe bytes.withUnsafeBytes {
      unsafe redisReaderFeed(reader, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
    }
    guard result == REDIS_OK else { throw .protocolError }
  }

  /// Swaps the next complete reply into `reply`; false when there is none yet.
  mutating func next(into reply: inout Reply) throws(MalformedReply) -> Bool {
    var object: UnsafeMutableRawPointer?
    guard unsafe redisReaderGetReply(reader, &object) == REDIS_OK else { throw .protocolError }
    guard unsafe object != nil else { return false }
    reply.removeAll()
    unsafe swap(&reply, &sink.pointee.reply)
    unsafe sink.pointee.announced = 0
    return true
  }

  /// Every object is the same non-null mark: what counts is written to the sink on the way. Null means "no memory",
  /// which makes the reader give up.
  private static func makeFunctions() -> redisReplyObjectFunctions {
    var functions = redisReplyObjectFunctions()
    unsafe functions.createString = { task, text, length in
      guard let task = unsafe task, let sink = unsafe ReplyReader.sink(of: task) else { return nil }
      let bytes = unsafe UnsafeRawBufferPointer(start: text, count: Int(length))
      unsafe sink.pointee.reply.append(bytes, isError: task.pointee.type == REDIS_REPLY_ERROR)
      return unsafe ReplyReader.mark
    }
    unsafe functions.createArray = { task, count in
      guard let task = unsafe task, let sink = unsafe ReplyReader.sink(of: task) else { return nil }
      let count = Int(count)
      guard count >= 0, unsafe count <= sink.pointee.itemLimit - sink.pointee.announced else { return nil }
      unsafe sink.pointee.announced += count
      unsafe sink.pointee.reply.append(.array(count))
      return unsafe ReplyReader.mark
    }
    unsafe functions.createInteger = { task, number in
      guard let task = unsafe task, let sink = unsafe ReplyReader.sink(of: task) else { return nil }
      unsafe sink.pointee.reply.append(.integer(Int(number)))
      return unsafe ReplyReader.mark
    }
    unsafe functions.createNil = { task in
      guard let task = unsafe task, let sink = unsafe ReplyReader.sink(of: task) else { return nil }
      unsafe sink.pointee.reply.append(.null)
      return unsafe ReplyReader.mark
    }
    unsafe functions.freeObject = { _ in }
    return functions
  }

  private static func sink(of task: UnsafePointer<redisReadTask>) -> UnsafeMutablePointer<Sink>? {
    unsafe task.pointee.privdata?.assumingMemoryBound(to: Sink.self)
  }

  private static var mark: UnsafeMutableRawPointer? { unsafe UnsafeMutableRawPointer(bitPattern: 1) }
}
