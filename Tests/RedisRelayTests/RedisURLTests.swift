import RedisRelay
import Testing

struct RedisURLTests {
  @Test(arguments: [
    ("redis://localhost", RedisURL(place: .host("localhost", port: 6379))),
    ("redis://10.0.0.1:7000/2", RedisURL(place: .host("10.0.0.1", port: 7000), database: 2)),
    (
      "rediss://u:p@h:7000/2",
      RedisURL(place: .host("h", port: 7000), user: "u", password: "p", database: 2, isSecure: true)
    ),
    ("redis://[::1]:7000", RedisURL(place: .host("::1", port: 7000))),
    ("redis://[::1]", RedisURL(place: .host("::1", port: 6379))),
    ("redis://:secret@h", RedisURL(place: .host("h", port: 6379), password: "secret")),
    ("redis://secret@h", RedisURL(place: .host("h", port: 6379), password: "secret")),
    ("redis://u:a%3Ab%40@h/", RedisURL(place: .host("h", port: 6379), user: "u", password: "a:b@")),
    ("unix:///run/redis.sock", RedisURL(place: .unixSocket(path: "/run/redis.sock"))),
    (
      "unix://u:p@/run/r@1.sock?db=4",
      RedisURL(place: .unixSocket(path: "/run/r@1.sock"), user: "u", password: "p", database: 4)
    ),
  ])
  func `Good URLs`(_ text: String, _ url: RedisURL) throws { #expect(try RedisURL(text) == url) }

  @Test(arguments: [
    "", "localhost:6379", "http://h", "rediss://", "redis://", "redis://h:0", "redis://h:99999", "redis://h/x",
    "redis://h/-1", "redis://u:%zz@h", "redis://u:%e9@h", "redis://u:@h", "redis://[::1", "redis://a b",
    "unix://relative", "unix:///a?x=1", "unix:///a?db=b", "redis://u:secret@h:port",
  ])
  func `Bad URLs are refused in words without the password`(_ text: String) {
    let error = #expect(throws: RedisConfigurationError.self) { try RedisURL(text) }
    #expect(error?.description.contains("secret") == false)
  }

  @Test func `A URL is shown without its password`() throws {
    #expect("\(try RedisURL("redis://me:secret@h:1/2"))" == "redis://h:1/2")
    #expect("\(try RedisURL("rediss://me:secret@h"))" == "rediss://h:6379/0")
    #expect("\(try RedisURL("unix://me:secret@/s"))" == "unix:///s?db=0")
  }

  @Test(arguments: ["", "a b", "a:b", "ü", String(repeating: "x", count: 65)])
  func `Node ids that would not fit into keys are refused`(_ id: String) throws {
    let url = try RedisURL("redis://h")
    #expect(throws: RedisConfigurationError.self) { try RedisRelayConfiguration(server: url, nodeID: id) }
  }
}
