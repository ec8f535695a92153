public import Tokens

/// One file, or variable, with keys of tokens, as it was read. What is in it is looked at by ``keys(issuers:)``.
public struct KeySource: Equatable, Sendable {
  /// What is in it.
  public enum Kind: Sendable {
    case secret
    /// A public key in PEM.
    case publicKey
    /// A JSON Web Key Set.
    case keySet
  }

  /// Where keys are, as settings write it: `[kid=][ALGORITHM:]path`.
  public struct Place: Equatable, Sendable {
    /// The `kid` of the tokens it is for; nil for any.
    public var id: String?
    /// Nil: what its kind is for when nobody says more.
    public var algorithm: Algorithm?
    public var path: String

    public init(_ text: Substring) {
      var rest = text
      if let end = rest.firstIndex(of: "="), KeyID.isValid(String(rest[..<end])) {
        id = String(rest[..<end])
        rest = rest[end...].dropFirst()
      }
      if let end = rest.firstIndex(of: ":"), let algorithm = Algorithm(rawValue: String(rest[..<end])) {
        self.algorithm = algorithm
        rest = rest[end...].dropFirst()
      }
      path = String(rest)
    }

    /// The places in a list with commas.
    public static func list(_ text: String) -> [Place] {
      text.split(separator: ",").map { Place($0.drop { $0 == " " }) }
    }
  }

  public let kind: Kind
  public let place: Place
  public let bytes: [UInt8]

  public init(_ kind: Kind, _ place: Place, _ bytes: [UInt8]) {
    (self.kind, self.place, self.bytes) = (kind, place, bytes)
  }

  /// What problems call it. A secret without a path came from the environment.
  var name: String {
    switch kind {
    case .secret where place.path.isEmpty: "the secret"
    case .secret: "the secret file \(place.path)"
    case .publicKey: "the public key file \(place.path)"
    case .keySet: "the key set file \(place.path)"
    }
  }

  /// The keys in it, and what is wrong with those that are none.
  ///
  /// - Parameter issuers: whom the keys of a set belong to; nil: to those of the rules.
  func keys(issuers: [String]?) -> (keys: [VerificationKey], problems: [String]) {
    do throws(KeyError) {
      switch kind {
      case .secret:
        let algorithm = place.algorithm ?? .hs256
        return ([try VerificationKey(secret: bytes, algorithm: algorithm, id: place.id)], [])
      case .publicKey: return ([try VerificationKey(pem: bytes, algorithm: place.algorithm, id: place.id)], [])
      case .keySet:
        let set = try KeySet(bytes, from: .file, issuers: issuers)
        return (set.keys, set.refusals.map { "\(name): \($0)" })
      }
    } catch {
      return ([], ["\(name) \(error)"])
    }
  }
}

/// Secrets do not get into logs by being printed.
extension KeySource: CustomStringConvertible, CustomReflectable {
  public var description: String { name }
  public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
