import Buffers
import Foundation
import Testing

@testable import RealtimeCore

/// A hub with the memory relay, and shards that are nothing but books: what each connection was sent, in order.
///
/// With `holdsRequests` the relay's answers wait until the test gives them, in whatever order it likes.
final class HubHarness {
  /// One text that a connection got.
  struct Received: CustomStringConvertible {
    let json: [String: Any]
    let raw: String
    var type: String { json["type"] as? String ?? "" }
    var offset: Int? { json["offset"] as? Int }
    var id: String? { json["id"] as? String }
    var payload: [String: Any] { json["payload"] as? [String: Any] ?? [:] }
    var description: String { raw }
  }

  private var hub: Hub
  private var relay: LocalRelay
  var now = Now(monotonic: 1_000_000, wall: 1_760_000_000_000)
  private(set) var received: [ConnectionID: [Received]] = [:]
  private(set) var admitted: [ConnectionID: UserNumber] = [:]
  private(set) var refused: [ConnectionID: Refusal] = [:]
  private(set) var closed: [ConnectionID: ClosingCause] = [:]
  private(set) var refreshed: [(connection: ConnectionID, isGood: Bool)] = []
  private(set) var answers: [BackendAnswer] = []
  private(set) var notices: [HubNotice] = []
  private(set) var online: [OnlineAnswer] = []
  private(set) var drainsWanted = 0
  private(set) var shed: [Int] = []
  private var members: [RoomNumber: [ConnectionID]] = [:]

  /// What the relay was told to follow (`+`), and not to follow any more (`-`).
  var followed: [String] = []

  var holdsRequests = false
  var held: [(request: RelayRequest, ticket: RelayTicket)] = []
  /// What every request is answered with at once, and the requests that were.
  var failure: RelayFailure?
  var failed: [(request: RelayRequest, at: Int64)] = []

  private var failures: [RelayEvent] = []

  private let history: Int
  private var relaySeed: UInt64 = 99
  /// Bytes of replays that the client was given, as the hub counts them.
  private(set) var replays: [ConnectionID: [Int]] = [:]
  private var elsewhere: UInt = 0

  /// - Parameter history: messages the relay keeps per room.
  init(seed: UInt64 = 1, history: Int = 300, configure: (inout HubConfiguration) -> Void = { _ in }) {
    var configuration = HubConfiguration(instance: "n1-abcdef")
    configuration.rate = nil
    configure(&configuration)
    hub = Hub(configuration, seed: seed, now: now)
    self.history = history
    relay = LocalRelay(seed: seed, historyMessages: history, now: now)
    run()
  }

  // MARK: Inputs

  func connection(_ slot: UInt32) -> ConnectionID { ConnectionID(shard: 0, generation: 1, slot: slot) }

  @discardableResult
  func connect(_ slot: UInt32, user: String, isAdmin: Bool = false, token: TokenStamp = TokenStamp()) -> ConnectionID {
    let id = connection(slot)
    tell(.connect(id, Identity(user: user, name: "", isAdmin: isAdmin)!, token))
    return id
  }

  /// Connects and joins, and forgets what that brought.
  func member(_ slot: UInt32, user: String, room: String = "r") -> ConnectionID {
    let id = connect(slot, user: user)
    join(id, room)
    received.removeAll()
    return id
  }

  func join(_ connection: ConnectionID, _ room: String, _ wish: JoinWish = JoinWish()) {
    tell(.join(connection, RoomName(room)!, wish, id: []))
  }

  func send(_ connection: ConnectionID, _ content: String, id: String = "", room: String = "r") {
    tell(.send(connection, RoomName(room)!, Self.text(content, id: id)))
  }

  static func text(_ content: String, id: String) -> ClientText {
    let payload = #"{"content":"\#(content)"}"#
    let bytes = Array((payload + id).utf8)
    return ClientText(bytes: bytes, payload: 0..<payload.utf8.count, id: payload.utf8.count..<bytes.count)
  }

  func tell(_ command: HubCommand) {
    hub.handle(command, now: now)
    run()
  }

  /// What comes in one turn.
  func tell(_ commands: [HubCommand]) {
    for command in commands { hub.handle(command, now: now) }
    run()
  }

  func tell(_ event: RelayEvent) {
    hub.handle(event, now: now)
    run()
  }

  /// Lets the hub's own deadlines pass, one after the other, up to `milliseconds` from now.
  func advance(_ milliseconds: Int64) {
    let end = now.monotonic + milliseconds
    while let due = hub.nextDeadline, due <= end {
      let step = max(0, due - now.monotonic)
      now = Now(monotonic: now.monotonic + step, wall: now.wall + step)
      hub.tick(now: now)
      run()
    }
    let rest = end - now.monotonic
    now = Now(monotonic: end, wall: now.wall + rest)
  }

  // MARK: Queries

  func texts(_ connection: ConnectionID, _ type: String? = nil) -> [Received] {
    (received[connection] ?? []).filter { type == nil || $0.type == type }
  }

  func forgetTexts() { received.removeAll() }

  /// The contents of the messages a connection got, in order.
  func contents(_ connection: ConnectionID) -> [String] {
    texts(connection, "new_message").map { $0.payload["content"] as? String ?? "?" }
  }

  var counters: HubCounters { hub.counters }
  var roomCount: Int { hub.roomCount }
  var rememberedRates: Int { hub.departedRates.count }

  /// The epoch of room `r`, as its members were told.
  var epoch: String {
    var events: [RelayEvent] = []
    relay.submit(.roster(RoomName("r")!), ticket: 0)
    relay.takeEvents(into: &events)
    guard case .reply(_, .roster(let roster)) = events.last else { return "" }
    return roster.top.epoch
  }

  /// The frame that a publish request becomes on the channel.
  func storedFrame(of request: RelayRequest, epoch: String, offset: Int) -> [UInt8] {
    guard case .publish(_, let publications) = request else { return [] }
    return publications[0].text + Array(#","epoch":"\#(epoch)","offset":\#(offset),"token":"local"}"#.utf8)
  }

  /// Puts an empty relay in the place of the old one, as after a restart without persistence.
  func replaceRelay(with revocations: [Revocation] = []) {
    relay = LocalRelay(seed: relaySeed, historyMessages: history, now: now)
    relaySeed += 1
    if !revocations.isEmpty { relay.submit(.revoke(revocations), ticket: 0) }
    run()
  }

  /// Another node revokes; `isTold`: and this one hears that there is something to read.
  func revokeElsewhere(_ revocations: [Revocation], isTold: Bool = true) {
    relay.submit(.revoke(revocations), ticket: 0)
    var events: [RelayEvent] = []
    if !isTold { relay.takeEvents(into: &events) }
    run()
  }

  /// What the relay has of them.
  var storedRevocations: [Revocation] {
    var (position, stored) = (0, [Revocation]())
    while true {
      var events: [RelayEvent] = []
      relay.submit(.revocations(after: position), ticket: 0)
      relay.takeEvents(into: &events)
      guard case .reply(_, .revocations(let slice)) = events.last else { return stored }
      stored += slice.entries
      position = slice.position
      if slice.isLast { return stored }
    }
  }

  /// Another node stores a message. Answers the frame of it, which nobody delivers unless the test does.
  @discardableResult
  func publishElsewhere(_ content: String, room: String = "r") -> [UInt8] {
    var scratch = ByteBuffer()
    elsewhere += 1
    let payload = Array(#"{"content":"\#(content)"}"#.utf8)
    let envelope = RelayEnvelope.message(
      room: RoomName(room)!, payload: unsafe payload.span.bytes, sender: Identity(user: "eve", name: ""),
      timestamp: Timestamp(milliseconds: now.wall), id: MessageID(incarnation: "n2", counter: elsewhere),
      clientID: RawSpan(), origin: nil, scratch: &scratch)
    relay.advance(to: now)
    relay.submit(
      .publish(
        RoomName(room)!,
        [Publication(text: envelope.text, userID: "eve", clientID: Array("\(elsewhere)".utf8))]),
      ticket: 0)
    var events: [RelayEvent] = []
    relay.takeEvents(into: &events)
    guard case .reply(_, .published(let outcomes)) = events.last else { return [] }
    let place = outcomes[0].position
    return envelope.text + Array(#","epoch":"\#(place.epoch)","offset":\#(place.offset),"token":"local"}"#.utf8)
  }

  /// What the relay has of a room, as content by offset.
  func stored(_ room: String = "r") -> [Int: String] {
    var events: [RelayEvent] = []
    relay.submit(.history(RoomName(room)!, before: nil, limit: history), ticket: 0)
    relay.takeEvents(into: &events)
    guard case .reply(_, .history(let found)) = events.last else { return [:] }
    return found.messages.reduce(into: [:]) { contents, message in
      let text = String(decoding: message.text, as: UTF8.self)
      contents[message.offset] = text.split(separator: #"{"content":""#).dropFirst().first.map {
        String($0.prefix { $0 != "\"" })
      }
    }
  }

  var report: HubReport { hub.report }

  // MARK: The shell's part

  /// Answers a held request as the memory relay would.
  func release(_ index: Int = 0) {
    let (request, ticket) = held.remove(at: index)
    relay.advance(to: now)
    relay.submit(request, ticket: ticket)
    run()
  }

  func releaseAll() { while !held.isEmpty { release() } }

  /// Reads of a room's messages that wait for the test.
  var heldReads: [(request: RelayRequest, ticket: RelayTicket)] {
    held.filter { if case .read = $0.request { true } else { false } }
  }

  /// Answers what comes before the first held read.
  func holdAllButReads() {
    while let first = held.first {
      if case .read = first.request { return }
      release()
    }
  }

  /// Fails the held reads, and answers everything else.
  func failReads() {
    while let first = held.first {
      if case .read = first.request {
        held.removeFirst()
        tell(.reply(first.ticket, .failed(.unavailable)))
      } else {
        release()
      }
    }
  }

  private func run() {
    relay.advance(to: now)
    var isQuiet = false
    while !isQuiet {
      hub.endTurn(now: now)
      let actions = hub.output.actions
      let text = hub.output.text.array()
      hub.output.removeAll()
      for action in actions { perform(action, text) }
      var events = failures
      failures.removeAll()
      relay.takeEvents(into: &events)
      for event in events { hub.handle(event, now: now) }
      isQuiet = events.isEmpty && hub.output.actions.isEmpty
    }
  }

  private func perform(_ action: HubAction, _ text: [UInt8]) {
    switch action {
    case .admit(let connection, let user): admitted[connection] = user
    case .refuse(let connection, let reason): refused[connection] = reason
    case .text(let connection, let range), .resync(let connection, _, let range): give(connection, text[range])
    case .replay(let connection, let replay):
      replays[connection, default: []].append(replay.messages.reduce(0) { $0 + $1.byteCount })
      for message in replay.messages {
        var text = ByteBuffer()
        replay.append(message, to: &text)
        give(connection, text.array()[...])
      }
    case .enter(let connection, let room, _, let range):
      members[room, default: []].append(connection)
      give(connection, text[range])
    case .exit(let connection, let room, _, let range):
      members[room]?.removeAll { $0 == connection }
      give(connection, text[range])
    case .item(let room, let item): give(item, to: members[room] ?? [], text)
    case .forget(let room): members[room] = nil
    case .everyone(let range): for connection in admitted.keys { give(connection, text[range]) }
    case .close(let connection, let cause): closed[connection] = cause
    case .refreshed(let connection, _, let isGood, _): refreshed.append((connection, isGood))
    case .backend(_, let answer): answers.append(answer)
    case .online(_, let answer): online.append(answer)
    case .drain: drainsWanted += 1
    case .shed(let count, _): shed.append(count)
    case .relay(let request, let ticket):
      if let failure {
        failed.append((request, now.monotonic))
        failures.append(.reply(ticket, .failed(failure)))
      } else if holdsRequests {
        held.append((request, ticket))
      } else {
        relay.submit(request, ticket: ticket)
      }
    case .follow(let room): followed.append("+\(room.text)")
    case .unfollow(let room): followed.append("-\(room.text)")
    case .notice(let notice): notices.append(notice)
    }
  }

  private func give(_ item: RoomItem, to members: [ConnectionID], _ text: [UInt8]) {
    for member in members {
      if member == item.origin {
        give(member, text[item.ack!])
      } else if let user = item.ownUser, admitted[member] == user {
        if let own = item.ownText { give(member, text[own]) }
      } else {
        give(member, text[item.text])
      }
    }
  }

  private func give(_ connection: ConnectionID, _ text: ArraySlice<UInt8>) {
    let json = try? JSONSerialization.jsonObject(with: Data(text)) as? [String: Any]
    #expect(json != nil, "not JSON: \(String(decoding: text, as: UTF8.self))")
    received[connection, default: []].append(
      Received(json: json ?? [:], raw: String(decoding: text, as: UTF8.self)))
  }
}
