import RealtimeCore

// From Redis' words to one of ours, and what each means for the connection. The table for operators is docs/REDIS.md.

extension RelayTrouble {
  /// What an error reply says, by its first word; where that is a mere `ERR`, by the words of Redis 7 and Valkey.
  init(errorReply text: String) {
    switch text.prefix(while: { $0 != " " }) {
    case "NOAUTH", "WRONGPASS": self = .authentication
    case "NOPERM", "DENIED": self = .noPermission
    case "LOADING": self = .loading
    case "BUSY": self = .busy
    case "MISCONF": self = .diskError
    case "OOM": self = .outOfMemory
    case "READONLY": self = .readOnly
    case "MASTERDOWN": self = .masterDown
    case "NOREPLICAS": self = .tooFewReplicas
    case "WRONGTYPE": self = .wrongType
    case "CLUSTERDOWN", "MOVED", "ASK", "CROSSSLOT", "TRYAGAIN": self = .clusterMode
    case "NOSCRIPT": self = .scriptsLost
    case "OLDSESSION": self = .oldSession
    case "TOPOLOGY": self = .otherTopology
    default: self = Self.phrases.first { text.contains($0.phrase) }?.trouble ?? .other
    }
  }

  private static let phrases: [(phrase: String, trouble: RelayTrouble)] = [
    ("max number of clients", .tooManyClients),
    ("The user executing the script can't", .noPermission),
    ("ACL failure in script", .noPermission),
    ("without any password configured", .authentication),
    ("not allowed in cluster mode", .clusterMode),
  ]

  /// A connection that hears this is of no more use.
  var endsConnection: Bool {
    switch self {
    case .unreachable, .timeout, .nonsense, .deafSubscriber, .differentServers, .tls, .authentication, .loading,
      .readOnly, .masterDown, .clusterMode, .tooManyClients, .tooOld, .scriptsLost, .oldSession,
      .otherTopology:
      true
    case .busy, .outOfMemory, .diskError, .tooFewReplicas, .noPermission, .wrongType, .other: false
    }
  }

  /// It may be about one room's keys: other rooms need not suffer.
  var isOfOneRoom: Bool { self == .wrongType || self == .other }

  /// The shortest wait before the next try, in milliseconds. Somebody who answers "no" is not asked again at once;
  /// somebody who was lost is.
  var pause: Int64 {
    switch self {
    case .unreachable, .timeout, .nonsense, .deafSubscriber, .scriptsLost: 0
    case .oldSession: 1_000
    // The others must be back first, when Redis was away.
    case .otherTopology: 5_000
    default: 500
    }
  }

  /// What an operator can do, to stand behind Redis' own words; empty when there is nothing to do.
  var advice: String {
    switch self {
    case .unreachable, .timeout, .nonsense, .deafSubscriber, .loading, .scriptsLost, .masterDown: ""
    case .differentServers: "the address must lead to one server"
    case .tls: "check the certificates on both sides, and that the URL's host is the certificate's"
    case .authentication: "check user and password of the Redis URL"
    case .readOnly: "the address must lead to the master"
    case .clusterMode: "the relay's scripts need a single Redis"
    case .tooManyClients: "raise maxclients: a node needs two connections"
    case .tooOld: "Redis 7.0 or Valkey is needed"
    case .oldSession: "is the node id used twice?"
    case .otherTopology: "all nodes of a cluster need the same --relay-topology and list of servers"
    case .busy: "a script of somebody else holds Redis up; the relay waits and kills nothing"
    case .outOfMemory: "messages are refused until Redis has memory; raise maxmemory"
    case .diskError: "messages are refused until Redis can save; look at its disk and log"
    case .tooFewReplicas: "messages are refused until enough replicas are there (min-replicas-to-write)"
    case .noPermission: "the ACL user lacks a right; docs/REDIS.md lists what is needed"
    case .wrongType: "another program's key has our prefix"
    case .other: ""
    }
  }
}
