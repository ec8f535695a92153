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

/// A new token of an open connection, from a `refresh_token`.
struct OfferedToken {
  let token: [UInt8]
  let messageID: [UInt8]
}

extension ShardCore {
  /// What the token grants; nil when it has to wait for keys.
  mutating func judge(_ slot: UInt32, _ token: [UInt8], _ response: [UInt8]) throws(Refused) -> TokenGrant? {
    let version = context.keys.version
    do throws(TokenError) {
      return try grant(of: token)
    } catch {
      guard mayPark, context.keys.mayBecomeGood(error, judgedBy: version, now: now.monotonic) else {
        throw refusal(error)
      }
      parked[slot] = ParkedHandshake(token: token, response: response)
      awaitHub(slot)
      connections[slot].deadline = now.monotonic + rules.parkedPatience
      arm(slot, at: connections[slot].deadline)
      return nil
    }
  }

  private var mayPark: Bool { parked.count + parkedOffers.count < rules.parked }

  /// Keeps the token until the keys that are on their way have come, one of each connection. False: it does not wait.
  ///
  /// The connection goes on meanwhile, and needs no time limit: every fetch ends, and ends all waiting.
  mutating func parks(_ offer: OfferedToken, _ slot: UInt32, _ reason: TokenError, judgedBy version: Int) -> Bool {
    guard mayPark, context.keys.mayBecomeGood(reason, judgedBy: version, now: now.monotonic) else { return false }
    parkedOffers[slot] = offer
    return true
  }

  /// The keys have changed, or could not be fetched: nobody waits longer.
  mutating func judgeParked() {
    for slot in parked.keys.sorted() { judgeAgain(slot) }
    for slot in parkedOffers.keys.sorted() {
      guard let offer = parkedOffers.removeValue(forKey: slot) else { continue }
      do throws(TokenError) { try take(offer, slot) } catch { refuse(offer, slot, error) }
    }
  }

  /// The last word about a handshake that waited.
  mutating func judgeAgain(_ slot: UInt32) {
    guard let handshake = parked.removeValue(forKey: slot) else { return }
    do throws(TokenError) {
      ask(slot, try grant(of: handshake.token), handshake.response)
    } catch {
      let turnedAway = refusal(error)
      refused(turnedAway.reason, slot)
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
