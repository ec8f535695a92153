import EventLoops
import Fetch
import Locks
import Synchronization
import Telemetry
import Tokens

/// The node's keys: those of the configuration, which may be exchanged, and those of the set at `--jwks-url`, which its
/// own thread fetches.
///
/// Asked once per handshake, from any shard. What it decides is in ``KeySetSchedule``; here are the thread, the lock
/// and the log.
final class KeyKeeper: Sendable {
  private struct State {
    /// Those of the configuration.
    var fixed: [VerificationKey]
    /// Those of the set; `nil` while there should be one and is not.
    var fetched: [VerificationKey]?
    var verifier: TokenVerifier
    var schedule = KeySetSchedule()
    /// Goes up whenever the keys change.
    var version = 0

    init(fixed: [VerificationKey], fetched: [VerificationKey]?, rules: TokenVerifier.Rules) {
      (self.fixed, self.fetched) = (fixed, fetched)
      verifier = Self.verifier(fixed, fetched, rules)
    }

    mutating func put(fixed: [VerificationKey], fetched: [VerificationKey]?, _ rules: TokenVerifier.Rules) {
      (self.fixed, self.fetched) = (fixed, fetched)
      verifier = Self.verifier(fixed, fetched, rules)
      version += 1
    }

    private static func verifier(
      _ fixed: [VerificationKey], _ fetched: [VerificationKey]?, _ rules: TokenVerifier.Rules
    ) -> TokenVerifier {
      TokenVerifier(keys: fixed + (fetched ?? []), rules: rules, isMissingKeys: fetched == nil)
    }
  }

  /// What a set's thread works with.
  private struct Address {
    let get: SecureGet
    let loop: EventLoop
  }

  private let rules: TokenVerifier.Rules
  private let setIssuers: [String]?
  private let address: Address?
  private let state: Mutex<State>
  private let stops = StopFlag()
  /// Tokens turned away. Clients get one answer for all.
  let refusals = Tally<TokenError>()
  let outcomes = Tally<KeyFetchOutcome>()

  /// Keys that never change.
  init(keys: [VerificationKey], rules: TokenVerifier.Rules) {
    (self.rules, setIssuers, address) = (rules, nil, nil)
    state = Mutex(State(fixed: keys, fetched: [], rules: rules))
  }

  /// The configuration's; it must have no ``ServerConfiguration/tokenProblems``.
  init(_ configuration: ServerConfiguration) throws(SystemError) {
    let url = configuration.tokens.jwksURL
    rules = configuration.tokenRules
    setIssuers = configuration.setIssuers
    let caFile = configuration.tokens.jwksCAFile
    address =
      url.isEmpty
      ? nil
      : Address(
        get: SecureGet(
          url: url, caFile: caFile.isEmpty ? nil : caFile, milliseconds: configuration.tokens.jwksMilliseconds,
          byteLimit: KeySet.longest),
        loop: try EventLoop())
    let fixed = configuration.verificationKeys.keys
    state = Mutex(State(fixed: fixed, fetched: url.isEmpty ? [] : nil, rules: rules))
  }

  /// Other keys in the place of those of the configuration, from the next token on.
  ///
  /// - Parameter keys: at least one, unless there is a set at an address.
  func exchange(_ keys: [VerificationKey]) {
    state.locked { $0.put(fixed: keys, fetched: $0.fetched, rules) }
  }

  /// Whether ``run(_:log:)`` has anything to do.
  var fetches: Bool { address != nil }

  /// What decides about tokens now.
  var verifier: TokenVerifier { state.locked { $0.verifier } }

  /// Another one whenever the keys have changed: to be read before a token is judged.
  var version: Int { state.locked { $0.version } }

  /// Whether a token refused for `reason` may be good when the keys that are on their way have come. Then every shard
  /// is told ``ShardCommand/keysChanged``.
  ///
  /// - Parameter version: of the keys, before the token was judged.
  func mayBecomeGood(_ reason: TokenError, judgedBy version: Int, now: Int64) -> Bool {
    guard let address, reason == .unknownKey || reason == .missingKeys else { return false }
    let isComing = state.locked { state in
      // The set came after the token was judged. The shard has not heard of it yet, and judges again when it does.
      if state.version != version { return true }
      return state.schedule.unknownKey(now: now)
    }
    if isComing { address.loop.wake() }
    return isComing
  }

  /// Milliseconds until the set is fetched again.
  func wait(now: Int64) -> Int64 { state.locked { $0.schedule.wait(now: now) } }

  // MARK: The thread

  /// Fetches when it is time, until ``stop()``.
  ///
  /// - Parameter shards: told after every fetch.
  func run(_ shards: [Mailbox<Parcel>], log: Log) {
    guard let address else { return }
    var events = EventBuffer(capacity: 4)
    var lastText: [UInt8] = []
    while !stops.isSet {
      let now = monotonicMilliseconds()
      let (isTime, wait) = state.locked { ($0.schedule.start(now: now), $0.schedule.wait(now: now)) }
      guard isTime else {
        _ = address.loop.wait(into: &events, timeout: CInt(clamping: wait))
        continue
      }
      do throws(FetchFailure) {
        let text = try fetch(address.get)
        let set = try Self.read(text, setIssuers)
        replace(set.keys)
        if text != lastText { Self.note(set, log) }
        lastText = text
      } catch {
        fail(error.reason, log)
      }
      for shard in shards { shard.post(Parcel(commands: [.keysChanged], frames: [])) }
    }
  }

  /// Ends ``run(_:log:)``, at once or when a slow answer is looked at next.
  func stop() {
    stops.set()
    address?.loop.wake()
  }

  private struct FetchFailure: Error { let reason: String }

  private func fetch(_ get: SecureGet) throws(FetchFailure) -> [UInt8] {
    do throws(SecureGet.Failure) {
      return try get.body(unless: { stops.isSet })
    } catch {
      throw FetchFailure(reason: "\(error)")
    }
  }

  private static func read(_ text: [UInt8], _ issuers: [String]?) throws(FetchFailure) -> KeySet {
    do throws(KeyError) {
      return try KeySet(text, from: .address, issuers: issuers)
    } catch {
      throw FetchFailure(reason: "the answer \(error)")
    }
  }

  private func replace(_ keys: [VerificationKey]) {
    let now = monotonicMilliseconds()
    state.locked {
      $0.put(fixed: $0.fixed, fetched: keys, rules)
      _ = $0.schedule.ended(isGood: true, now: now)
    }
    outcomes.count(.good)
  }

  private func fail(_ reason: String, _ log: Log) {
    outcomes.count(.failed)
    let now = monotonicMilliseconds()
    let outcome = state.locked { state in
      let outcome = state.schedule.ended(isGood: false, now: now)
      if outcome == .dropped { state.put(fixed: state.fixed, fetched: nil, rules) }
      return outcome
    }
    guard !stops.isSet else { return }
    log.warning("key set not fetched", ["reason": .string(reason)])
    if outcome == .dropped {
      log.error("keys dropped: their set could not be fetched for a day, and tokens that need them are refused")
    }
  }

  private static func note(_ set: KeySet, _ log: Log) {
    log.info("key set fetched", ["keys": .integer(set.keys.count)])
    for refusal in set.refusals { log.warning("key not used", ["reason": .string("\(refusal)")]) }
  }
}
