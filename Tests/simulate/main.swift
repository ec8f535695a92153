import Glibc

do {
  var runner = Runner(try Order(Array(CommandLine.arguments.dropFirst())))
  exit(runner.run())
} catch {
  print("simulate: \(error.words)")
  exit(2)
}
