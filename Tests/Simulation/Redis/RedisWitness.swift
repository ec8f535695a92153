/// Sees what really happened in Redis, which no node may know.
protocol RedisWitness: AnyObject {
  func generationBegan(_ generation: String)
  func stored(_ text: [UInt8], room: String, epoch: String, offset: Int)
  /// A user was announced to have come (`user_joined`) or gone (`user_left`).
  func announced(_ kind: String, room: String, user: String)
  func renewed(_ incarnation: String)
  /// A lease that had ended was taken away.
  func reaped(_ incarnation: String)
}
