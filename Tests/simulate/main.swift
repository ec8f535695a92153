import Glibc
import Simulation

// simulate SEEDS STEPS [FIRST-SEED] [--trace] [--mutant NAME]: runs seeds one after the other, until one fails.

/// What was asked for on the command line.
struct Order {
  var seeds = 100
  var steps = 2_000
  var first: UInt64 = 1
  var isPrinting = false
  var mutant: RedisMutant?

  init(_ arguments: [String]) {
    var numbers: [UInt64] = []
    var index = 0
    while index < arguments.count {
      switch arguments[index] {
      case "--trace": isPrinting = true
      case "--mutant":
        index += 1
        mutant = index < arguments.count ? RedisMutant(rawValue: arguments[index]) : nil
      default: if let number = UInt64(arguments[index]) { numbers.append(number) }
      }
      index += 1
    }
    if numbers.count > 0 { seeds = Int(numbers[0]) }
    if numbers.count > 1 { steps = Int(numbers[1]) }
    if numbers.count > 2 { first = numbers[2] }
  }
}

@MainActor func run(_ order: Order) -> Int32 {
  var total = Counts()
  var clock = timespec()
  unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &clock)
  let start = Double(clock.tv_sec) + Double(clock.tv_nsec) / 1e9
  for seed in order.first..<order.first + UInt64(order.seeds) {
    var simulation = Simulation(seed: seed, steps: order.steps)
    (simulation.mutant, simulation.isPrinting) = (order.mutant, order.isPrinting)
    let outcome = simulation.run()
    total += outcome.counts
    guard let violation = outcome.violation else { continue }
    simulation.traceLimit = 60
    let again = simulation.run()
    print("VIOLATION \(violation)\n\nseed \(seed): \(outcome.plan)\n")
    for line in again.trace { print(line) }
    let isSame = again.violation?.description == violation.description
    print("\n\(isSame ? "The second run failed alike." : "THE SECOND RUN DIFFERED: \(String(describing: again.violation))")")
    print("again: make simulate SEEDS=1 STEPS=\(order.steps) SEED=\(seed)")
    return 1
  }
  unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &clock)
  let seconds = Double(clock.tv_sec) + Double(clock.tv_nsec) / 1e9 - start
  print("\(order.seeds) seeds from \(order.first) on, no violation. \(total.text)")
  print("\(Int(Double(total.steps) / seconds)) steps per second of CPU")
  return 0
}

exit(run(Order(Array(CommandLine.arguments.dropFirst()))))
