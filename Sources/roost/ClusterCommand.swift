import EventLoops
import Glibc
import RoostServer
import Tokens

/// `roost cluster`: a whole cluster on this machine, for trying it out.
enum ClusterCommand {
  static func run(_ arguments: [String]) -> CInt {
    var flags = Flags(
      arguments, values: ["nodes", "port", "redis-url", "secret-file"], switches: ["help", "no-balancer"])
    if flags.has("help") {
      Console.print(help)
      return 0
    }
    let nodes = flags.integer("nodes", 1...32, default: 3)
    let port = flags.integer("port", 1...65_000, default: 8_080)
    let (given, problems) = SharedSecret.read(file: flags["secret-file"])
    problems.forEach { flags.refuse($0) }
    if let url = flags["redis-url"], CredentialURL.holdsPassword(url) {
      flags.refuse("--redis-url: holds a password, and command lines are no secret; use ROOST_REDIS_URL")
    }
    let redis = flags["redis-url"] ?? Console.environment["ROOST_REDIS_URL"] ?? ""
    if redis.isEmpty && Console.find("redis-server") == nil {
      flags.refuse("redis-server is not installed: install it, or name a Redis with --redis-url")
    }
    guard !flags.complain("cluster") else { return 2 }
    do {
      let folder = try TemporaryFolder()
      defer { folder.remove() }
      var cluster = try Cluster(
        folder: folder, nodes: nodes, port: UInt16(port), redisURL: redis,
        secret: given ?? Array(SecureRandom.base64URL(byteCount: 32).utf8), nodeFlags: flags.rest,
        hasBalancer: !flags.has("no-balancer"))
      return try cluster.run()
    } catch {
      Console.complain("roost cluster: \(error)")
      return 1
    }
  }

  private static let help = """
    roost cluster [--nodes 3] [--port 8080] [--redis-url URL] [--secret-file FILE] [--no-balancer] [-- NODE FLAGS]

    Starts nodes, a Redis if none is named, and haproxy in front if it is installed; prints addresses and tokens; stops
    everything on Ctrl-C. Nothing is kept. A node that ends is not started again; the others go on.

      --nodes        how many; default 3
      --port         of the balancer; nodes take the next free ones; default 8080
      --redis-url    a Redis that is there already, or ROOST_REDIS_URL, which may hold a password
      --secret-file  the tokens' secret; ROOST_SECRET_FILE and ROOST_SECRET work too; a random one when none is given
      --no-balancer  only nodes
      --             what follows are flags for every node: see roost serve --help
    """
}
