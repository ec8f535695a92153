public import Buffers

/// The answers of one turn: actions, and the texts they point into. The shell takes both and empties them.
public struct HubOutput: ~Copyable {
  public var actions: [HubAction] = []
  public var text = ByteBuffer()

  public init() {}

  /// Forgets everything and keeps the memory for the next turn.
  public mutating func removeAll() {
    actions.removeAll(keepingCapacity: true)
    text.removeAll()
  }
}
