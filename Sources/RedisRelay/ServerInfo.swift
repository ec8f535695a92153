import RealtimeCore

/// What `INFO` tells about the server behind a connection, as far as it decides anything.
struct ServerInfo: Equatable {
  /// Names one run of the server process.
  var runID = ""
  /// Names the history of the data set; a promoted replica gets a new one.
  var replicationID = ""
  var isMaster = false
  var isCluster = false
  /// As Redis counts; Valkey names the Redis it is compatible with. Empty when it is not told.
  var version = ""

  /// Takes in one section. Lines are `name:value`.
  mutating func take(_ section: String) {
    for line in section.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...]
      switch line[..<colon] {
      case "run_id": runID = Self.identifier(value)
      case "master_replid": replicationID = Self.identifier(value)
      case "role": isMaster = value == "master"
      case "redis_version": version = String(value.prefix(16).filter { $0.isNumber || $0 == "." })
      case "cluster_enabled": isCluster = value == "1"
      default: break
      }
    }
  }

  /// Both ids, shortened: what a generation belongs to. 24 characters.
  var lineage: String { String(runID.prefix(12) + replicationID.prefix(12)) }

  /// Why this server cannot carry a relay, in words for the operator.
  var refusal: (trouble: RelayTrouble, words: String)? {
    if isCluster { return (.clusterMode, "Redis runs in cluster mode") }
    if let major = version.split(separator: ".").first.flatMap({ Int($0) }), major < 7 {
      return (.tooOld, "this is Redis \(version)")
    }
    if !isMaster { return (.readOnly, "this Redis is a replica") }
    if lineage.count != 24 { return (.nonsense, "this Redis does not tell its run_id and master_replid") }
    return nil
  }

  /// Hexadecimal digits only: it becomes part of keys, frames and scripts' arguments.
  private static func identifier(_ value: Substring) -> String {
    value.utf8.count == 40 && value.allSatisfy(\.isHexDigit) ? String(value) : ""
  }
}
