import RealtimeCore
import Testing

@testable import RedisRelay

struct RoomChannelsTests {
  private func room(_ name: String) -> RoomName { RoomName(name)! }

  /// Channels on a connection that is up, with these rooms held.
  private func channels(_ rooms: String...) -> Channels {
    let channels = Channels()
    _ = channels.begin()
    for name in rooms {
      #expect(!channels.follow(room(name)))
      #expect(channels.news == "+\(name)")
      #expect(channels.confirmed(room(name)))
    }
    return channels
  }

  /// The value in a box, so that what changes it can be expected.
  private final class Channels {
    private var value = RoomChannels()
    func follow(_ room: RoomName) -> Bool { value.follow(room) }
    func unfollow(_ room: RoomName, now: Int64) { value.unfollow(room, now: now) }
    func confirmed(_ room: RoomName) -> Bool { value.confirmed(room) }
    func isFollowed(_ room: RoomName) -> Bool { value.isFollowed(room) }
    func begin() -> [RoomName] { value.begin() }
    func lost() { value.lost() }
    func tick(now: Int64) { value.tick(now: now) }
    var hasNews: Bool { value.hasNews }
    var count: Int { value.count }
    var deadline: Int64? { value.deadline }
    /// Taken: what is left (`-`), then what is joined (`+`).
    var news: String {
      let (left, joined) = value.takeNews()
      return (left.map { "-\($0.text)" } + joined.map { "+\($0.text)" }).joined(separator: " ")
    }
  }

  @Test func `A room is asked for once, and left some seconds after it was unfollowed`() {
    let channels = channels()
    #expect(!channels.follow(room("a")) && !channels.follow(room("a")))
    #expect(channels.news == "+a")
    #expect(channels.confirmed(room("a")) && !channels.confirmed(room("a")) && !channels.confirmed(room("b")))
    #expect(channels.follow(room("a")), "it is held already")
    channels.unfollow(room("a"), now: 1_000)
    channels.tick(now: 10_999)
    #expect(!channels.hasNews && channels.deadline == 11_000)
    channels.tick(now: 11_000)
    #expect(channels.news == "-a")
    #expect(channels.count == 0 && channels.deadline == nil)
  }

  @Test func `Who comes back in time finds the channel held`() {
    let channels = channels("a")
    channels.unfollow(room("a"), now: 0)
    #expect(channels.follow(room("a")))
    channels.unfollow(room("a"), now: 8_000)
    channels.tick(now: 10_000)
    #expect(!channels.hasNews, "the first end was called off")
    channels.tick(now: 18_000)
    #expect(!channels.follow(room("a")), "too late")
    #expect(channels.news == "-a +a", "in this order")
  }

  @Test func `What is not confirmed is not left`() {
    let channels = channels()
    _ = channels.follow(room("a"))
    channels.unfollow(room("a"), now: 0)
    _ = channels.news
    channels.tick(now: 10_000)
    #expect(!channels.hasNews && channels.count == 1)
    #expect(channels.confirmed(room("a")) && !channels.isFollowed(room("a")))
    channels.tick(now: 20_000)
    #expect(channels.news == "-a")
  }

  @Test func `A new connection begins with what is followed`() {
    let channels = channels("b", "a", "c")
    channels.unfollow(room("c"), now: 0)
    channels.lost()
    #expect(!channels.follow(room("d")) && !channels.hasNews)
    #expect(channels.begin().map(\.text) == ["a", "b", "d"])
    #expect(!channels.hasNews && !channels.isFollowed(room("c")) && channels.deadline == nil)
    #expect(channels.confirmed(room("a")) && channels.follow(room("a")))
  }

  @Test func `Rooms for nobody are bounded`() {
    let channels = channels()
    for number in 0..<RoomChannels.lingererLimit + 10 {
      _ = channels.follow(room("r\(number)"))
      _ = channels.confirmed(room("r\(number)"))
      channels.unfollow(room("r\(number)"), now: 0)
    }
    _ = channels.news
    channels.tick(now: 1)
    #expect(channels.count == RoomChannels.lingererLimit)
    #expect(channels.news == (0..<10).map { "-r\($0)" }.joined(separator: " "))
  }
}
