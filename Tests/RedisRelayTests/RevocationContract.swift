import RealtimeCore
import RoostTesting
import Testing

/// What every relay promises about revocations.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RevocationContract {
  private static let never = Revocation.moments.upperBound

  private func token(_ id: String, until: Int64 = Self.never) throws -> Revocation {
    try #require(Revocation.token(id, until: until))
  }

  private func revoke(_ wanted: [Revocation], _ setup: ContractSetup) throws -> Int {
    guard case .revoked(let refused) = try setup.bench.call(.revoke(wanted), on: setup.node) else {
      throw RelayBench.TooLate(description: "not revoked")
    }
    return refused
  }

  private func slice(after position: Int, _ setup: ContractSetup) throws -> RevocationSlice {
    guard case .revocations(let slice) = try setup.bench.call(.revocations(after: position), on: setup.node) else {
      throw RelayBench.TooLate(description: "no slice")
    }
    return slice
  }

  @Test(arguments: RelayKind.allCases)
  func `Revocations are kept in the order they came, and told once`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let empty = try slice(after: 0, setup)
    #expect(empty.entries.isEmpty && empty.isLast && empty.position == 0 && empty.top == 0)
    let first = [try token("a|b\"é"), try #require(Revocation.user("ann", issuedUntil: 70, until: Self.never))]
    #expect(try revoke(first, setup) == 0)
    #expect(try revoke([token("c")], setup) == 0)
    try setup.bench.wait("both frames") { setup.node.frames.count == 2 }
    for text in setup.node.frames {
      let bytes = Array(text.utf8)
      let frame = try unsafe RelayFrame.parse(bytes.span.bytes)
      #expect(frame.kind == .revoked)
      #expect(frame.token.map { String(decoding: bytes[$0], as: UTF8.self) } == setup.node.token)
    }
    let all = try slice(after: 0, setup)
    #expect(all.entries == first + [try token("c")])
    #expect(all.isLast && all.position == 3 && all.top == 3)
    #expect(try slice(after: 2, setup).entries == [token("c")])
    #expect(try slice(after: 3, setup).entries.isEmpty)
    // Who knew more than there is must be able to see that.
    #expect(try slice(after: 9, setup).top == 3)
  }

  @Test(arguments: RelayKind.allCases)
  func `Of two with one key the later bounds hold, and nothing new is not told`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    func ann(_ issued: Int64, _ until: Int64) throws -> Revocation {
      try #require(Revocation.user("ann", issuedUntil: issued, until: until))
    }
    let far = Self.never
    _ = try revoke([ann(50, far - 9)], setup)
    _ = try revoke([ann(40, far)], setup)
    let merged = try slice(after: 0, setup)
    #expect(merged.entries == [try ann(50, far)] && merged.top == 2)
    #expect(try slice(after: 1, setup).entries == [try ann(50, far)], "who knew the first hears of the change")
    _ = try revoke([ann(10, far - 100), ann(50, far)], setup)
    #expect(try slice(after: 0, setup).top == 2)
    setup.bench.run(milliseconds: 30)
    #expect(setup.node.frames.count == 2)
  }

  @Test(arguments: RelayKind.allCases)
  func `Many come in slices that leave none out`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let all = try (0..<1_150).map { try token("t\($0)") }
    for start in stride(from: 0, to: all.count, by: RelayLimits.revocationsPerRequest) {
      _ = try revoke(Array(all[start..<min(start + RelayLimits.revocationsPerRequest, all.count)]), setup)
    }
    var (position, read, sizes) = (0, [Revocation](), [Int]())
    while true {
      let slice = try slice(after: position, setup)
      sizes.append(slice.entries.count)
      read += slice.entries
      position = slice.position
      // What is learnt again meanwhile moves to the end, and is met there.
      if sizes.count == 1 { _ = try revoke([token("t0"), token("late")], setup) }
      if slice.isLast { break }
    }
    #expect(read == all + [try token("late")])
    #expect(sizes == [500, 500, 151])
  }

  @Test(arguments: RelayKind.allCases)
  func `What has ended is forgotten, some minutes later`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let now = try slice(after: 0, setup).horizon + Revocation.slack
    _ = try revoke([token("long ago", until: now - 1_000), token("just now", until: now - 100)], setup)
    _ = try revoke([token("still")], setup)
    let slice = try slice(after: 0, setup)
    #expect(slice.entries == [try token("just now", until: now - 100), try token("still")])
    #expect(slice.position == 3 && slice.isLast)
    #expect((now - 1_000...now - 100).contains(slice.horizon))
  }

  @Test(arguments: [RelayKind.local, .redis])
  func `When it is full, one more is refused and none is forgotten`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    // One after the other: many of them at once may keep a busy Redis for longer than it is given for an answer.
    for start in stride(from: 0, to: RelayLimits.revocations, by: RelayLimits.revocationsPerRequest) {
      let wanted = try (start..<start + RelayLimits.revocationsPerRequest).map { try token("t\($0)") }
      #expect(try revoke(wanted, setup) == 0)
    }
    #expect(try revoke([token("one too many"), token("t7")], setup) == 1)
    let slice = try slice(after: RelayLimits.revocations - 1, setup)
    #expect(slice.entries == [try token("t\(RelayLimits.revocations - 1)")] && slice.top == RelayLimits.revocations)
  }
}

/// What only a real Redis can do to them.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RedisRevocationTests {
  private static let never = Revocation.moments.upperBound

  @Test func `What somebody else put there is left out, and harms nobody`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let good = try #require(Revocation.token("good", until: Self.never))
    _ = try bench.call(.revoke([good]), on: node)
    for (field, value) in [("tbad", "soon"), ("x1", "1:1"), ("t", "1:1"), ("ugone", ""), ("twide", "1:2:3")] {
      if !value.isEmpty { try server.ask("HSET", "ws:revoked", field, value) }
      try server.ask("ZADD", "ws:revoked:seq", "7", field)
    }
    guard case .revocations(let slice) = try bench.call(.revocations(after: 0), on: node) else {
      throw RelayBench.TooLate(description: "no slice")
    }
    #expect(slice.entries == [good])
    #expect(node.notices.isEmpty && node.state == .connected)
    // A value that cannot be read is replaced by the next one that can.
    let bad = try #require(Revocation.token("bad", until: Self.never))
    guard case .revoked(refused: 0) = try bench.call(.revoke([bad]), on: node) else {
      throw RelayBench.TooLate(description: "not revoked")
    }
    #expect(try server.ask("HGET", "ws:revoked", "tbad") == "\(Self.never):0\n")
  }

  @Test func `Nothing is left of what ended`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let ended = try (0..<90).map { try #require(Revocation.token("t\($0)", until: 1_000)) }
    _ = try bench.call(.revoke(ended), on: node)
    _ = try bench.call(.revocations(after: 0), on: node)
    #expect(try server.ask("HGETALL", "ws:revoked") == "#\n90\n", "the numbers go on, or a reader would miss some")
    #expect(try server.ask("EXISTS", "ws:revoked:seq", "ws:revoked:end") == "0\n")
  }
}
