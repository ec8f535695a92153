import Glibc
import Simulation

do {
  let order = try Order(Array(CommandLine.arguments.dropFirst()))
  if order.namesMutants {
    for mutant in RedisMutant.allCases { print("\(mutant.rawValue)\t\(mutant.words)") }
    exit(0)
  }
  var runner = Runner(order)
  exit(runner.run())
} catch {
  print("simulate: \(error.words)")
  exit(2)
}
