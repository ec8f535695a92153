/// What keeps a relay from its work: a closed set of words for logs, metrics and operators. The raw values are stable.
public enum RelayTrouble: String, Sendable, CaseIterable {
  // No connection that could be used.
  case unreachable, timeout, nonsense
  /// Subscribed, yet what is published does not come back.
  case deafSubscriber = "deaf_subscriber"
  /// The two connections reached different servers.
  case differentServers = "different_servers"
  /// No common ground with the server about encryption, or one side's certificate is not believed by the other.
  case tls
  case authentication
  case loading
  case readOnly = "read_only"
  case masterDown = "master_down"
  case clusterMode = "cluster_mode"
  case tooManyClients = "too_many_clients"
  case tooOld = "too_old"
  case scriptsLost = "scripts_lost"
  /// The other nodes relay in another way, or know other servers.
  case otherTopology = "other_topology"
  /// Another process uses this node's id.
  case oldSession = "old_session"

  // The connection is fine, and requests are refused.
  /// Somebody's script runs and runs.
  case busy
  case outOfMemory = "out_of_memory"
  case diskError = "disk_error"
  case tooFewReplicas = "too_few_replicas"
  case noPermission = "no_permission"
  /// A key of one room holds something else.
  case wrongType = "wrong_type"
  case other
}
