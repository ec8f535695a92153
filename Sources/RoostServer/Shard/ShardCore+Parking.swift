import Buffers
import HTTPCore
import RealtimeCore
import Telemetry
import Tokens

/// A handshake whose token names a key the node does not have, while a set that may have it is on its way.
struct ParkedHandshake {
  let token: [UInt8]
  /// The 101, ready to be sent.
  let response: [UInt8]
}

extension ShardCore {
  /// How long one waits, in milliseconds: longer than a fetch may take.
  private static let patience: Int64 = 3_000

  /// What the token grants; nil when it has to wait for keys.
  mutating func judge(_ slot: UInt32, _ token: [UInt8], _ response: [UInt8]) throws(Refused) -> TokenGrant? {
    do throws(TokenError) {
      return try grant(of: token)
    } catch {
      guard parked.count < rules.parked, context.keys.mayBecomeGood(error, now: now.monotonic) else {
        throw refusal(error)
      }
      parked[slot] = ParkedHandshake(token: token, response: response)
      awaitHub(slot)
      connections[slot].deadline = now.monotonic + Self.patience
      arm(slot, at: connections[slot].deadline)
      return nil
    }
  }

  /// The keys have changed, or could not be fetched: nobody waits longer.
  mutating func judgeParked() {
    for slot in parked.keys.sorted() { judgeAgain(slot) }
  }

  /// The last word about a handshake that waited.
  mutating func judgeAgain(_ slot: UInt32) {
    guard let handshake = parked.removeValue(forKey: slot) else { return }
    do throws(TokenError) {
      ask(slot, try grant(of: handshake.token), handshake.response)
    } catch {
      let turnedAway = refusal(error)
      refused(turnedAway.reason)
      answer(slot, turnedAway.response)
      goOn(slot)
    }
  }

  /// One answer for all bad tokens. A token that nobody can judge yet is not called bad.
  private mutating func refusal(_ reason: TokenError) -> Refused {
    context.keys.refusals.count(reason)
    if reason == .missingKeys {
      return Refused(.noKeys, .unavailable("keys are not there yet", retryAfter: retryAfter()))
    }
    return Refused(.token, .authenticationRequired())
  }
}
