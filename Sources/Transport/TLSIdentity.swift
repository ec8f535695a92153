/// Who we are: a certificate with its chain, and the key that belongs to it, as PEM files.
public struct TLSIdentity: Sendable, Equatable {
  /// The certificate, followed by those that lead to the root, without the root.
  public var certificateFile: String
  /// The private key, not encrypted.
  public var keyFile: String

  public init(certificateFile: String, keyFile: String) {
    (self.certificateFile, self.keyFile) = (certificateFile, keyFile)
  }
}
