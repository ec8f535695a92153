/// One connection as Redis sees it.
final class RedisSession {
  let link: Link
  var reader = RedisCommandReader()
  var channels: [String] = []
  /// The node gave it up; what it had sent is still to be executed.
  var isOver = false

  init(link: Link) { self.link = link }
}
