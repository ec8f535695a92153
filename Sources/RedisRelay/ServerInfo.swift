/// What `INFO` tells about the server behind a connection, as far as it decides anything.
struct ServerInfo: Equatable {
  /// Names one run of the server process.
  var runID = ""
  /// Names the history of the data set; a promoted replica gets a new one.
  var replicationID = ""
  var isMaster = false
  var isCluster = false

  /// Takes in one section. Lines are `name:value`.
  mutating func take(_ section: String) {
    for line in section.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...]
      switch line[..<colon] {
      case "run_id": runID = Self.identifier(value)
      case "master_replid": replicationID = Self.identifier(value)
      case "role": isMaster = value == "master"
      case "cluster_enabled": isCluster = value == "1"
      default: break
      }
    }
  }

  /// Both ids, shortened: what a generation belongs to. 24 characters.
  var lineage: String { String(runID.prefix(12) + replicationID.prefix(12)) }

  /// Why this server cannot carry a relay, in words for the operator.
  var refusal: String? {
    if isCluster { return "Redis runs in cluster mode, which the relay's scripts cannot use: give it a single Redis" }
    if !isMaster { return "this Redis is a replica: the relay needs the master" }
    if lineage.count != 24 { return "this Redis does not tell its run_id and master_replid" }
    return nil
  }

  /// Hexadecimal digits only: it becomes part of keys, frames and scripts' arguments.
  private static func identifier(_ value: Substring) -> String {
    value.utf8.count == 40 && value.allSatisfy(\.isHexDigit) ? String(value) : ""
  }
}
