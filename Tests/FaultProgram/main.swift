import EventLoops
import FaultRunner
import Glibc

// faults FAULTS [--seed N] [--seeds N] [--seconds N] [--topology NAME] [--servers N] [--harm-last] [--markdown]
//
// FAULTS: names between commas, which strike in turn; `all`: each in a row of its own; `random`: drawn by the seed.
// NAME: what the nodes have as --relay-topology. Of several servers one is harmed: the first, or the last.

func fail(_ text: String) -> Never {
  FileOutput.write(text + "\n", to: 2)
  exit(2)
}

var names = "all"
var (seed, seeds, seconds): (UInt64, UInt64, Double) = (1, 1, 15)
var nodeFlags: [String] = []
var (servers, harmsLast) = (1, false)
var (isMarkdown, words) = (false, CommandLine.arguments.dropFirst())
while let word = words.popFirst() {
  switch word {
  case "--markdown": isMarkdown = true
  case "--topology":
    guard let name = words.popFirst() else { fail("--topology needs a name") }
    nodeFlags = ["--relay-topology", name]
  case "--list":
    for name in FaultPlan.names { FileOutput.print("\(name): \(FaultPlan.summary(of: name) ?? "")") }
    exit(0)
  case "--harm-last": harmsLast = true
  case "--seed", "--seeds", "--seconds", "--servers":
    guard let value = words.popFirst().flatMap({ Double($0) }), value >= 0 else { fail("\(word) needs a number") }
    if word == "--seed" { seed = UInt64(value) }
    if word == "--seeds" { seeds = UInt64(value) }
    if word == "--seconds" { seconds = value }
    if word == "--servers" { servers = max(1, Int(value)) }
  default: names = word
  }
}

var rows: [[String]] = []
for name in names.split(separator: ",").map(String.init) {
  if name != "random" && name != "all" && !FaultPlan.names.contains(name) {
    fail("no fault is called \(name); see --list")
  }
}
if names == "all" { rows = FaultPlan.names.map { [$0] } } else { rows = [names.split(separator: ",").map(String.init)] }

_ = raiseDescriptorLimit()
signal(SIGPIPE, SIG_IGN)
FileOutput.print(isMarkdown ? FaultTable.markdownHead : FaultTable.textHead)
var violated = 0
for seed in seed..<seed + seeds {
  for faults in rows {
    var plan = FaultPlan(faults: faults, seed: seed, seconds: seconds)
    (plan.nodeFlags, plan.servers, plan.harmsLast) = (nodeFlags, servers, harmsLast)
    let row = await plan.run()
    FileOutput.print(isMarkdown ? FaultTable.markdown(row) : FaultTable.text(row))
    guard !row.isGood else { continue }
    violated += 1
    for text in row.evidence { FileOutput.write("    " + text + "\n", to: 2) }
    FileOutput.write("    again: make faults FAULTS=\(row.name) SEED=\(seed) SECONDS=\(Int(seconds))\n", to: 2)
  }
}
if violated > 0 { FileOutput.write("\(violated) rows violate a promise\n", to: 2) }
exit(violated > 0 ? 1 : 0)

enum FileOutput {
  static func print(_ text: String) { write(text + "\n", to: 1) }

  /// At once, whoever reads.
  static func write(_ text: String, to descriptor: CInt) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }
}
