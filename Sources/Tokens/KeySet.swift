/// A JSON Web Key Set (RFC 7517 section 5): the keys in it that we can use, and what is wrong with others.
public struct KeySet: Sendable {
  /// Where a set comes from decides what may be in it.
  public enum Origin: Sendable {
    /// A file of the operator's: shared secrets are welcome.
    case file
    /// An address anybody can read: no secrets.
    case address
  }

  /// A key of the set that must not be used.
  public struct Refusal: Equatable, Sendable, CustomStringConvertible {
    /// Its place in the set, from 0.
    public let index: Int
    public let id: String?
    public let error: KeyError

    public var description: String { "key \(index)\(id.map { " (\($0))" } ?? "") \(error)" }
  }

  /// Bytes of a set at most.
  public static let longest = 256 * 1_024
  /// Keys of a set at most, of any kind.
  public static let mostKeys = 64

  /// Empty only for a file of which ``refusals`` tell all that is wrong.
  public let keys: [VerificationKey]
  public let refusals: [Refusal]

  /// - Parameter issuers: who signs with these keys; see ``VerificationKey/issuers``.
  public init(_ text: [UInt8], from origin: Origin, issuers: [String]? = nil) throws(KeyError) {
    guard text.count <= Self.longest else { throw .setTooLarge }
    // A key has a dozen members; the deepest is a certificate chain. Longer lists cannot be keys.
    let bounds = JSONParser.Bounds(depth: 6, members: 64, elements: 1_024)
    guard case .array(let elements) = JSONParser.object(text, bounds)?["keys"] else { throw .notASet }
    guard elements.count <= Self.mostKeys else { throw .setTooLarge }
    var (keys, refusals): ([VerificationKey], [Refusal]) = ([], [])
    for (index, element) in elements.enumerated() {
      guard case .object(let members) = element else { throw .notASet }
      let key = JSONWebKey(members)
      switch key.read(allowsSecrets: origin == .file) {
      case .foreign: break
      case .refused(let error): refusals.append(Refusal(index: index, id: key.id, error: error))
      case .key(let new) where keys.contains { $0.id == new.id && $0.id != nil && $0.algorithm == new.algorithm }:
        refusals.append(Refusal(index: index, id: new.id, error: .repeated))
      case .key(var new):
        new.issuers = issuers
        keys.append(new)
      }
    }
    guard !keys.isEmpty || !refusals.isEmpty && origin == .file else { throw .nothingUsable }
    (self.keys, self.refusals) = (keys, refusals)
  }
}
