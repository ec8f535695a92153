import RoostTesting
import Transport

/// Why a certificate is not to be believed.
enum DoubtfulCertificate: CaseIterable {
  case fromStrangers, forAnotherName, forAnotherAddress, expired

  /// Nodes that show it, and those who believe `certificates`, are at odds.
  func make(_ certificates: TestCertificates, _ strangers: TestCertificates) throws -> TLSIdentity {
    switch self {
    case .fromStrangers: try strangers.make("node")
    case .forAnotherName, .forAnotherAddress: try certificates.make("node", for: "DNS:elsewhere.example,IP:127.0.0.9")
    case .expired: try certificates.makeExpired("node")
    }
  }

  /// How the node is called by whoever connects.
  var host: String { self == .forAnotherAddress ? "127.0.0.1" : "localhost" }

  var reason: String {
    switch self {
    case .fromStrangers: "no authority that is believed here has signed it"
    case .forAnotherName, .forAnotherAddress: "it is for another name"
    case .expired: "it has expired"
    }
  }
}
