/// Something a checking client says. The content is the client's own id of the message too: `<sender>.<number>`.
public struct Said: Hashable, Sendable {
  public let content: String
  public let sender: Substring
  /// Counts up for each sender.
  public let number: Int

  public init(_ content: String) {
    self.content = content
    let parts = content.split(separator: ".", maxSplits: 1)
    sender = parts.first ?? ""
    number = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
  }

  public init(by sender: String, number: Int) { self.init("\(sender).\(number)") }
}
