import EventLoops
import Glibc
import LoadGenerator
import RoostServer
import Telemetry
import Transport

/// `roost serve`: one node, until a signal ends it.
enum ServeCommand {
  static func run(_ arguments: [String]) async -> CInt {
    let own: Set = ["--help", "--check", "--healthcheck"]
    if arguments.contains("--help") {
      Console.print(help + ConfigurationText.help())
      return 0
    }
    let read = {
      ConfigurationReader(
        arguments: arguments.filter { !own.contains($0) }, environment: Console.environment,
        isExposed: Console.isExposed, readFile: Console.readFile)
    }
    let reader = read()
    if arguments.contains("--healthcheck") { return checkHealth(reader.configuration) }
    if arguments.contains("--check") { return check(reader) }
    guard reader.problems.isEmpty else {
      for problem in reader.problems { Console.complain("roost serve: \(problem)") }
      return 1
    }
    return await serve(reader.configuration, remarks: reader.remarks, again: read)
  }

  /// Prints what holds and what is wrong with it.
  private static func check(_ reader: ConfigurationReader) -> CInt {
    Console.write(ConfigurationText.effective(reader.configuration), to: 1)
    for remark in reader.remarks { Console.print("note: \(remark)") }
    for warning in reader.configuration.warnings { Console.print("warning: \(warning)") }
    for problem in reader.problems { Console.print("problem: \(problem)") }
    return reader.problems.isEmpty ? 0 : 1
  }

  /// Asks the node of this configuration, on this machine, whether its loops turn.
  private static func checkHealth(_ configuration: ServerConfiguration) -> CInt {
    let everywhere = ["0.0.0.0": "127.0.0.1", "::": "::1"]
    let host = everywhere[configuration.host] ?? configuration.host
    guard let address = Address(host: host, port: configuration.port) else { return 1 }
    // Nothing secret is said, and the certificate is not for the loopback's name.
    let tls = configuration.tls.identity == nil ? nil : try? TLSClient(.anybody)
    return HTTPProbe.get("/healthz", from: address, tls: tls)?.status == 200 ? 0 : 1
  }

  /// - Parameter again: reads the same settings once more, and the files that they name.
  private static func serve(
    _ configuration: ServerConfiguration, remarks: [String], again: () -> ConfigurationReader
  ) async -> CInt {
    // Before any thread is made, so that none but the waiting one gets them.
    let signals = [SIGTERM, SIGINT]
    let others = [SIGUSR1, SIGUSR2, SIGHUP]
    blockSignals(signals + others)
    signal(SIGPIPE, SIG_IGN)
    let log = Log(
      level: LogLevel(configuration.logLevel) ?? .info, format: configuration.logsJSON ? .json : .text)
    for remark in remarks { log.warning("configuration", ["note": .string(remark)]) }
    let node: Node
    do {
      // The main thread waits for signals, so that is how it hears what the API wants.
      node = try Node(configuration, log: log, whenDrainWanted: { kill(getpid(), SIGUSR2) })
    } catch {
      log.error("the node cannot start", ["reason": .string("\(error)")])
      return 1
    }
    node.start()
    log.info(
      "node ready",
      [
        "host": .string(configuration.host), "port": .integer(Int(node.port)), "version": .string(Release.version),
      ])
    if let port = node.adminPort {
      log.info("administration", ["host": .string(configuration.adminHost), "port": .integer(Int(port))])
    }

    // Not awaited: a main thread that suspends goes into the runtime's hands, which take every signal by its default.
    var received = waitForSignal(signals + others, summarising: log)
    while received == SIGUSR1 || received == SIGHUP {
      if received == SIGHUP {
        node.reloadCertificate()
        node.reloadKeys(again())
      } else {
        node.logState()
      }
      received = waitForSignal(signals + others, summarising: log)
    }
    log.info("stopping", ["signal": .integer(Int(received)), "connections": .integer(node.connectionCount)])
    limitPatience(signals, wasAsked: received == SIGUSR2, seconds: configuration.drain.deadline, log)
    node.drain()
    await node.stop()
    log.info("stopped")
    log.summarise(isEnd: true)
    return 0
  }

  /// The wait for a signal, in which what the log held back is told once its time is over, and memory that is left of a
  /// burst goes back to the kernel once a minute.
  private static func waitForSignal(_ signals: [CInt], summarising log: Log) -> CInt {
    var waits = 0
    while true {
      if let received = EventLoops.waitForSignal(signals, milliseconds: 10_000) { return received }
      log.summarise()
      waits += 1
      if waits.isMultiple(of: 6) { SpareMemory.giveBack() }
    }
  }

  /// A second signal, and the deadline of SPEC section 8, end the process whatever it still does.
  ///
  /// - Parameter wasAsked: the drain was not begun by one of the signals.
  private static func limitPatience(_ signals: [CInt], wasAsked: Bool, seconds: Double, _ log: Log) {
    onNewThread(name: "patience") {
      // Whoever drains a node by the API and then sends SIGTERM, as supervisors do, does not want it ended at once.
      if wasAsked { _ = EventLoops.waitForSignal(signals) }
      _ = EventLoops.waitForSignal(signals)
      log.warning("stopped at once by a second signal")
      _exit(1)
    }
    onNewThread(name: "deadline") {
      // The drain ends before it in good order, unless something hangs.
      let deadline = monotonicMilliseconds() + Int64(seconds * 1_000)
      while monotonicMilliseconds() < deadline { usleep(50_000) }
      log.error("not stopped in time", ["seconds": .decimal(seconds)])
      _exit(1)
    }
  }

  private static let help = """
    roost serve [SETTINGS]

    Runs one node until SIGTERM or SIGINT, which send its clients to other nodes first (--drain-wait, --drain-window,
    --drain-deadline); a second signal ends it at once. SIGUSR1 writes to the log what the node is doing, and its
    slowest clients. SIGHUP reads the certificate, the keys of tokens and the API's keys again.

      --check        print the settings that hold, secrets hidden, and everything that is wrong with them; exit 0 or 1
      --healthcheck  ask the node with these settings on this machine whether it is healthy; exit 0 or 1


    """
}
