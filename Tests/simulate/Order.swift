import RealtimeCore
import Simulation

/// What was asked for on the command line: `simulate SEEDS STEPS [FIRST-SEED]` and flags.
struct Order {
  var seeds = 100
  var steps = 2_000
  var first: UInt64 = 1
  /// Print everything that happens.
  var isPrinting = false
  /// Go on after a violation, and say at the end what was found where.
  var isSurvey = false
  var mutant: RedisMutant?
  var topology = RelayTopology.broadcast
  var servers = 1
  /// Only name the mutants and say what each is.
  var namesMutants = false

  init(_ arguments: [String]) throws(BadOrder) {
    var numbers: [UInt64] = []
    var rest = arguments[...]
    while let word = rest.popFirst() {
      switch word {
      case "--trace": isPrinting = true
      case "--survey": isSurvey = true
      case "--mutants": namesMutants = true
      case "--topology":
        guard let topology = RelayTopology(rawValue: rest.popFirst() ?? "") else {
          throw BadOrder(words: "--topology is broadcast or rooms")
        }
        self.topology = topology
      case "--servers":
        guard let servers = Int(rest.popFirst() ?? ""), (1...8).contains(servers) else {
          throw BadOrder(words: "--servers is 1 to 8")
        }
        self.servers = servers
      case "--mutant":
        guard let name = rest.popFirst(), let mutant = RedisMutant(rawValue: name) else {
          throw BadOrder(words: "--mutant is one of \(RedisMutant.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.mutant = mutant
      default:
        guard let number = UInt64(word) else { throw BadOrder(words: "'\(word)' is no number") }
        numbers.append(number)
      }
    }
    guard numbers.count <= 3 else { throw BadOrder(words: "simulate SEEDS STEPS [FIRST-SEED]") }
    if numbers.count > 0 { seeds = Int(clamping: numbers[0]) }
    if numbers.count > 1 { steps = Int(clamping: numbers[1]) }
    if numbers.count > 2 { first = numbers[2] }
  }
}

struct BadOrder: Error { let words: String }
