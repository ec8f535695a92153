import Foundation

// FuzzTargets
//
// Each target takes bytes that a stranger may send, gives them to the code that reads them, and throws a `Finding` when
// something that must always hold does not. A trap of the code itself is found by whoever runs the target.
//
//     http       requests: head, query, tokens, upgrade
//     frames     WebSocket frames, both sides
//     deflate    compressed messages, both ways
//     envelope   client messages, beside Foundation's JSON
//     redis      replies of Redis, through hiredis
//     link       the relay between its two connections, with somebody else in Redis' place
//     tokens     tokens: as they are, and correctly signed nonsense
//     keys       key sets and PEM files
//     relay      the relay channel, with a hub behind it
//
// What an input does is decided by its bytes alone. A new target is a new file and a line in `all`.

/// One way in for hostile bytes.
public struct FuzzTarget: Sendable, CustomStringConvertible {
  public let name: String
  /// Bytes of the longest input worth trying.
  public let lengthLimit: Int
  private let body: @Sendable ([UInt8]) throws(Finding) -> Void

  init(_ name: String, lengthLimit: Int, _ body: @escaping @Sendable ([UInt8]) throws(Finding) -> Void) {
    (self.name, self.lengthLimit, self.body) = (name, lengthLimit, body)
  }

  public var description: String { name }

  /// - Throws: ``Finding`` when a rule does not hold for `bytes`.
  public func run(_ bytes: [UInt8]) throws(Finding) { try body(bytes) }

  /// The one that the environment variable `FUZZ` names.
  public static var chosen: FuzzTarget? {
    let name = ProcessInfo.processInfo.environment["FUZZ"]
    return all.first { $0.name == name }
  }
}

/// A rule that did not hold.
public struct Finding: Error, CustomStringConvertible {
  public let description: String
}

/// Throws a ``Finding`` unless `rule` holds.
func demand(_ rule: Bool, _ what: @autoclosure () -> String) throws(Finding) {
  guard rule else { throw Finding(description: what()) }
}
