import RoostServer

/// `roost`: finds the command and runs it. The answer is the process' exit code: 0 fine, 1 failed, 2 misused.
enum CommandLineTool {
  static let version = Release.version

  static func run(_ arguments: [String]) async -> CInt {
    let rest = Array(arguments.dropFirst(2))
    switch arguments.dropFirst().first {
    case "serve": return await ServeCommand.run(rest)
    case "cluster": return ClusterCommand.run(rest)
    case "token": return TokenCommand.run(rest)
    case "chat": return await ChatCommand.run(rest)
    case "publish": return await PublishCommand.run(rest)
    case "status": return StatusCommand.run(rest)
    case "bench": return BenchCommand.run(rest)
    case ChildCommand.name: return ChildCommand.run(rest)
    case "--version", "version": Console.print("roost \(version)")
    case "--help", "-h", "help": Console.print(usage)
    case nil:
      Console.complain(usage)
      return 2
    case let other?:
      Console.complain("roost: there is no command \"\(other)\"\n\n\(usage)")
      return 2
    }
    return 0
  }

  private static let usage = """
    Roost, a WebSocket server for rooms, presence and history, clustered through Redis.

      roost serve     one node; --help lists its settings, --check shows what holds and what is wrong with it
      roost cluster   nodes, Redis and a balancer on this machine, for trying it out
      roost token     makes a token
      roost chat      talks in a room, from a terminal or a script
      roost publish   puts messages into a room through the HTTP API
      roost status    shows the cluster: nodes, rooms, rates, slow clients
      roost bench     measures a server
      roost --version

    Each command explains itself with --help.
    """
}
