public import EventLoops

/// Runs a measurement on the calling thread, which does nothing else until it is over.
public enum Bench {
  public static func run(_ plan: BenchPlan) throws(SystemError) -> BenchReport {
    switch plan.scenario {
    case .fanout: try run(FanoutDriver.self, plan)
    case .echo: try run(EchoDriver.self, plan)
    case .connect: try run(ConnectDriver.self, plan)
    case .idle: try run(IdleDriver.self, plan)
    }
  }

  private static func run<Driver: Measurement & ~Copyable>(
    _: Driver.Type, _ plan: BenchPlan
  ) throws(SystemError) -> BenchReport {
    var core = SwarmCore(Driver(plan), loop: try EventLoop(), seed: 1)
    while !core.driver.isDone { _ = core.turn() }
    return core.driver.report
  }
}
