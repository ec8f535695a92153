import RoostClient

/// Answers everybody in the room `general` who says hello, until somebody says bye.
func answerGreetings(at url: String, token: @escaping TokenSource) async throws -> Int {
  let client = try RoostClient(ClientConfiguration(url: url, tokenSource: token))
  try await client.connect()
  let room = try await client.joinRoom("general")
  print("\(room.count) are here")
  var greeted = 0
  for await event in client.events {
    switch event {
    case .message(let message) where message.content == "hello":
      try await client.sendMessage("hello, \(message.sender?.name ?? "stranger")", to: message.room)
      greeted += 1
    case .message(let message) where message.content == "bye":
      await client.disconnect()
    case .missed(let room, let reason, _):
      print("something that was said in \(room) is lost: \(reason)")
    case .connection(.waiting(let reason, let pause)):
      print("\(reason); coming back in \(pause)")
    default: break
    }
  }
  return greeted
}
