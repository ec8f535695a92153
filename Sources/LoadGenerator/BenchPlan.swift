public import Glibc

/// What to measure.
public struct BenchPlan: Sendable {
  public enum Scenario: String, CaseIterable, Sendable {
    /// Rooms whose members get what publishers, or all members, say.
    case fanout
    /// Every client gets its own message back.
    case echo
    /// Connections that are made and dropped again.
    case connect
    /// Connections that do nothing, for their memory.
    case idle
  }

  public var scenario: Scenario
  /// Where members connect, and publishers when it differs: another node.
  public var members: Endpoint
  public var publishers: Endpoint
  /// Makes the token of each client, by its number; `nil`: none, or the endpoint's own.
  public var token: (@Sendable (Int) -> String)?

  /// `fanout`: rooms, members of each, and further connections of each that talk.
  public var rooms = 1
  public var membersPerRoom = 100
  public var publishersPerRoom = 1
  /// Every member talks; there are no further publishers.
  public var everybodyTalks = false
  /// Messages on their way in each room (echo: of each client) at any time …
  public var window = 1
  /// … or messages a second over all rooms, whatever comes back; 0: the window counts.
  public var rate = 0.0
  /// Characters of a message's content, at least those of a ``Marker``.
  public var payloadBytes = 128
  /// `echo`, `connect`, `idle`: connections.
  public var connections = 100
  /// `idle`: every connection joins one of ``rooms``.
  public var joins = false

  /// Handshakes under way at any time.
  public var concurrency = 64
  public var warmSeconds = 1.0
  public var seconds = 5.0
  /// Server processes whose CPU and memory are counted.
  public var processes: [pid_t] = []

  public init(scenario: Scenario, endpoint: Endpoint) {
    self.scenario = scenario
    (members, publishers) = (endpoint, endpoint)
  }

  /// Connections of one room.
  var clientsPerRoom: Int { membersPerRoom + (everybodyTalks ? 0 : publishersPerRoom) }
  var talkersPerRoom: Int { everybodyTalks ? membersPerRoom : publishersPerRoom }

  func endpoint(of client: Int, isPublisher: Bool) -> Endpoint {
    var endpoint = isPublisher ? publishers : members
    if let token { endpoint.token = token(client) }
    return endpoint
  }
}
