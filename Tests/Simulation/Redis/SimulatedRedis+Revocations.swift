import RealtimeCore
import RedisRelay

/// REVOKE and REVOCATIONS.
extension SimulatedRedis {
  /// Removes what ended; answers before when.
  private func forgetRevocations(_ call: ScriptCall) -> Int {
    let horizon = min(time / 1_000_000, call.number(4)) - Int(Revocation.slack)
    let ended = data.revoked.filter { $0.value.until < horizon }
    for key in ended.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }).prefix(100) { data.revoked[key] = nil }
    return horizon
  }

  func revoke(_ call: ScriptCall) -> RedisReply {
    _ = forgetRevocations(call)
    var (refused, isNew) = (0, false)
    for argument in stride(from: 5, through: call.count, by: 3) {
      let key = call.bytes(argument)
      let held = data.revoked[key]
      let until = max(call.number(argument + 1), held?.until ?? 0)
      let issuedUntil = max(call.number(argument + 2), held?.issuedUntil ?? 0)
      if held == nil, data.revoked.count >= RelayLimits.revocations {
        refused += 1
      } else if held == nil || held!.until < until || held!.issuedUntil < issuedUntil {
        data.revocations += 1
        data.revoked[key] = RedisData.Revoked(until: until, issuedUntil: issuedUntil, number: data.revocations)
        isNew = true
      }
    }
    if isNew {
      let frame = #"{"type":"revoked","payload":\#(data.revocations),"node":"\#(call.node)","token":"\#(call.token)"}"#
      publish(Array(frame.utf8), on: settings.prefix + "broadcast")
    }
    return .integer(refused)
  }

  func revocations(_ call: ScriptCall) -> RedisReply {
    let horizon = forgetRevocations(call)
    let (position, count) = (call.number(5), call.number(6))
    let rows = data.revoked.filter { $0.value.number > position }.sorted { $0.value.number < $1.value.number }
      .prefix(count)
    let isLast = rows.count < count
    let words = rows.flatMap { [RedisReply.text($0.key), .word("\($0.value.until):\($0.value.issuedUntil)")] }
    return .array([
      .integer(isLast ? data.revocations : rows.last!.value.number), .integer(data.revocations),
      .integer(isLast ? 1 : 0), .integer(horizon), .array(words),
    ])
  }
}
