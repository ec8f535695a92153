/// Time, chance and what happens next: everything in a simulation happens in a step of its world.
///
/// Steps happen in the order of their times; those of one instant in the order in which they were planned. So a seed
/// tells the whole run.
public final class World {
  public let clock = SimulatedClock()
  public var dice: Dice
  public let trace = Trace()
  /// Steps taken so far.
  public private(set) var steps = 0

  private struct Step {
    let time: Int64
    let number: Int
    let run: () -> Void

    func comes(before other: Step) -> Bool { (time, number) < (other.time, other.number) }
  }

  /// A binary heap: the next step is the first.
  private var plan: ContiguousArray<Step> = []
  private var planned = 0

  public init(seed: UInt64) {
    dice = Dice(seed: seed)
    trace.clock = clock
  }

  public var now: Int64 { clock.milliseconds }
  /// When the next step happens, in microseconds.
  public var nextTime: Int64? { plan.first?.time }

  /// Plans a step in so many microseconds.
  public func after(_ microseconds: Int64, _ run: @escaping () -> Void) {
    planned += 1
    plan.append(Step(time: clock.microseconds + max(0, microseconds), number: planned, run: run))
    rise(plan.count - 1)
  }

  /// Takes the next step; false when none is planned, or none before `end` (microseconds).
  public func step(before end: Int64 = .max) -> Bool {
    guard let first = plan.first, first.time < end else { return false }
    let last = plan.removeLast()
    if !plan.isEmpty {
      plan[0] = last
      sink()
    }
    clock.advance(to: first.time)
    steps += 1
    first.run()
    return true
  }

  /// Takes all steps of the next so many microseconds.
  public func run(for microseconds: Int64) {
    let end = clock.microseconds + microseconds
    while step(before: end) {}
    clock.advance(to: end)
  }

  /// Forgets what is planned, so that nothing holds what the simulation is made of.
  public func end() { plan = [] }

  private func rise(_ start: Int) {
    var index = start
    while index > 0, plan[index].comes(before: plan[(index - 1) / 2]) {
      plan.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private func sink() {
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < plan.count && plan[child].comes(before: plan[least]) {
        least = child
      }
      guard least != index else { return }
      plan.swapAt(index, least)
      index = least
    }
  }
}
