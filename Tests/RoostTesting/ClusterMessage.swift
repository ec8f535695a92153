import Foundation

/// What a server's message says, as far as tests look.
public struct ClusterMessage: Decodable, Sendable {
  public struct Sender: Decodable, Sendable { public var id: String }

  public struct User: Decodable, Sendable { public var id: String }

  public struct Payload: Decodable, Sendable {
    public var room_id: String?
    public var epoch: String?
    public var offset: Int?
    public var message_id: String?
    public var dup: Bool?
    public var content: String?
    public var code: String?
    public var reason: String?
    public var count: Int?
    public var recovered: Bool?
    public var retry_after_ms: Int?
    public var reconnect_after_ms: Int?
    public var users: [User]?
    public var id: String?
  }

  public var type: String
  public var id: String?
  public var offset: Int?
  public var client_id: String?
  public var sender: Sender?
  public var payload: Payload?
  private var room: String?

  public init(_ bytes: [UInt8]) throws { self = try JSONDecoder().decode(Self.self, from: Data(bytes)) }

  public var roomName: String { room ?? payload?.room_id ?? "" }
}
