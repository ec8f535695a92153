import Testing
import WebSocketCore

@Suite struct ClosingTests {
  @Test func `we close, the peer answers`() {
    var handshake = ClosingHandshake()
    #expect(handshake.acceptsData && handshake.readsFrames)
    #expect(handshake.close(.serviceRestart) == .sendClose(.serviceRestart))
    #expect(!handshake.acceptsData && handshake.readsFrames)
    #expect(handshake.close(.tooSlow) == .nothing)
    #expect(handshake.peerSentClose(.serviceRestart) == .disconnect)
    #expect(handshake.waitedLongEnough() == .nothing && !handshake.readsFrames)
  }

  @Test func `we close, the peer stays silent`() {
    var handshake = ClosingHandshake()
    #expect(handshake.close(.tokenExpired) == .sendClose(.tokenExpired))
    #expect(handshake.waitedLongEnough() == .disconnect)
    #expect(handshake.peerSentClose(nil) == .nothing)
  }

  @Test(arguments: [nil, .normal, .goingAway, CloseCode(rawValue: 3999)] as [CloseCode?])
  func `the peer closes and gets its own code back`(code: CloseCode?) {
    var handshake = ClosingHandshake()
    #expect(handshake.peerSentClose(code) == .echoThenDisconnect(code))
    #expect(!handshake.acceptsData && !handshake.readsFrames)
    #expect(handshake.peerSentClose(code) == .nothing)
    #expect(handshake.close(.normal) == .nothing && handshake.peerBrokeRules(.reservedBits) == .nothing)
    #expect(handshake.waitedLongEnough() == .nothing)
  }

  @Test func `a broken rule is told, and nothing read after it`() {
    var handshake = ClosingHandshake()
    #expect(handshake.peerBrokeRules(.invalidUTF8) == .sendClose(.invalidPayload))
    #expect(!handshake.acceptsData && !handshake.readsFrames)
    #expect(handshake.peerSentClose(.normal) == .nothing && handshake.peerBrokeRules(.reservedBits) == .nothing)
    #expect(handshake.waitedLongEnough() == .disconnect)
  }

  @Test func `a rule broken after our close is not told again`() {
    var handshake = ClosingHandshake()
    #expect(handshake.close(.normal) == .sendClose(.normal))
    #expect(handshake.peerBrokeRules(.reservedBits) == .nothing)
    #expect(!handshake.readsFrames)
    #expect(handshake.waitedLongEnough() == .disconnect)
  }

  @Test func `violations become the close codes of the contract`() {
    for violation in ProtocolViolation.allCases {
      let expected: UInt16 =
        switch violation {
        case .invalidUTF8, .invalidCompression: 1007
        case .tooManyFragments, .emptyFragments, .tooManyBlocks: 1008
        case .messageTooBig: 1009
        default: 1002
        }
      #expect(CloseCode(violation).rawValue == expected)
    }
  }

  @Test(
    arguments: [
      (1000...1003, true), (1004...1006, false), (1007...1014, true), (1015...2999, false), (3000...4999, true),
      (5000...65_535, false), (0...999, false),
    ] as [(ClosedRange<UInt16>, Bool)])
  func `codes that may be on the wire`(range: ClosedRange<UInt16>, valid: Bool) {
    #expect(range.allSatisfy { CloseCode(rawValue: $0).isValidOnWire == valid })
  }

  @Test func `clients come back after these codes and no others`() {
    let back = (UInt16.min...UInt16.max).filter { CloseCode(rawValue: $0).clientReconnects }
    #expect(back == [1001, 1006, 1012] + Array(4000...4499))
  }
}
