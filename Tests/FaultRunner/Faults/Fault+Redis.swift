import EventLoops
import Foundation
import Glibc
import RoostTesting

// What happens to Redis itself.
extension Fault {
  static let redis: [Fault] =
    [
      Fault(name: "cut-sub", summary: "CLIENT KILL of all subscriber connections", family: .redis) { scene in
        try scene.site.redis.ask("CLIENT", "KILL", "TYPE", "pubsub")
        await scene.timeToService("full service after")
      },
      Fault(name: "cut-cmd", summary: "CLIENT KILL of all command connections", family: .redis) { scene in
        try scene.site.redis.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await scene.timeToService("full service after")
      },
      pause(0.2, "pause-0.2"), pause(1, "pause-1"), pause(5, "pause-5"), pause(30, "pause-30"),
      Fault(
        name: "kill-redis", summary: "kill -9 of Redis, which comes back empty", family: .redis, mayAnnounce: true,
        seconds: 5
      ) { scene in
        scene.site.redis.kill()
        removeAppendOnlyFile(scene.site.redis)
        await scene.pause(Double.random(in: 0.2...3, using: &scene.random))
        try scene.site.redis.start()
        await scene.timeToService("full service after")
      },
      Fault(
        name: "kill-redis-aof", summary: "kill -9 of Redis, which comes back from its append-only file",
        family: .redis, mayAnnounce: true, needsAOF: true, seconds: 5
      ) { scene in
        scene.site.redis.kill()
        await scene.pause(Double.random(in: 0.2...2, using: &scene.random))
        try scene.site.redis.start()
        await scene.timeToService("full service after")
      },
      Fault(
        name: "cut-aof", summary: "kill -9 of Redis, and the last fifth of its append-only file is lost",
        family: .redis, mayAnnounce: true, needsAOF: true, seconds: 5
      ) { scene in
        scene.site.redis.kill()
        try cutAppendOnlyFile(scene.site.redis, keeping: 0.8)
        try scene.site.redis.start()
        await scene.timeToService("full service after")
      },
      Fault(
        name: "failover", summary: "the master dies; a replica that lags by a second takes its place", family: .redis,
        mayAnnounce: true, seconds: 6, strike: failOver),
      Fault(name: "flushall", summary: "FLUSHALL", family: .redis, mayAnnounce: true) { scene in
        try scene.site.redis.ask("FLUSHALL")
        await scene.timeToService("full service after")
      },
      Fault(name: "script-flush", summary: "SCRIPT FLUSH", family: .redis) { scene in
        try scene.site.redis.ask("SCRIPT", "FLUSH")
        await scene.timeToService("full service after")
      },
      Fault(name: "out-of-memory", summary: "maxmemory is reached for 3 s", family: .redis, seconds: 5) { scene in
        try scene.site.redis.ask("CONFIG", "SET", "maxmemory", "1mb")
        await scene.pause(3)
        try scene.site.redis.ask("CONFIG", "SET", "maxmemory", "0")
        await scene.timeToService("full service after")
      },
      Fault(
        name: "evict-history", summary: "a room's stream is evicted", family: .redis, mayAnnounce: true, seconds: 1,
        strike: { try await evict("h", $0) }),
      Fault(
        name: "evict-room", summary: "a room's stream and top are evicted", family: .redis, mayAnnounce: true,
        seconds: 1
      ) { scene in
        try await evict("h", scene)
        try await evict("m", scene)
      },
      Fault(
        name: "read-only", summary: "the master becomes a replica for 2 s, and master again", family: .redis,
        mayAnnounce: true, seconds: 5
      ) { scene in
        try scene.site.redis.ask("REPLICAOF", "127.0.0.1", "1")
        await scene.pause(2)
        try scene.site.redis.ask("REPLICAOF", "NO", "ONE")
        await scene.timeToService("full service after")
      },
    ]

  private static func pause(_ seconds: Double, _ name: String) -> Fault {
    Fault(
      name: name, summary: "Redis is stopped for \(seconds) s", family: .redis, seconds: seconds + 2,
      isOnlyByName: seconds > 10
    ) { scene in
      scene.site.redis.pause()
      await scene.pause(seconds)
      scene.site.redis.resume()
      await scene.timeToService("full service after")
    }
  }

  @MainActor
  private static func evict(_ kind: String, _ scene: Scene) async throws {
    let room = scene.crowd.clients.randomElement(using: &scene.random)?.rooms[0] ?? ""
    try scene.site.redis.ask("DEL", "ws:\(kind):\(room)")
    await scene.pause(1)
  }

  /// The replica's connection is held back, so that it lacks what the master took in its last second.
  @MainActor
  private static func failOver(_ scene: Scene) async throws {
    let site = scene.site
    let link = try FaultProxy(target: site.redis.port, seed: scene.random.next())
    let replica = try await replica(of: site.redis, at: link.port)
    link.order(.strand(.all))
    await scene.pause(1)
    site.redis.kill()
    try replica.ask("REPLICAOF", "NO", "ONE")
    site.replace(by: replica)
    await scene.timeToService("full service after")
  }

  /// A server that follows `master` and is in step. Told so by a command and not by its start, so that it is nobody's
  /// replica when it is killed and started again later.
  static func replica(of master: RedisServer, at port: UInt16) async throws -> RedisServer {
    let replica = try RedisServer(["--repl-diskless-sync-delay", "0"])
    try master.ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
    try replica.ask("REPLICAOF", "127.0.0.1", "\(port)")
    try await ClusterUnderTest.eventually("the replica is in step", seconds: Crowd.patience) {
      (try? replica.ask("INFO", "replication").contains("master_link_status:up")) == true
    }
    return replica
  }

  private static func removeAppendOnlyFile(_ redis: RedisServer) {
    try? FileManager.default.removeItem(atPath: redis.directory + "/appendonlydir")
  }

  private static func cutAppendOnlyFile(_ redis: RedisServer, keeping part: Double) throws {
    let folder = redis.directory + "/appendonlydir"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    guard let name = files.filter({ $0.hasSuffix(".incr.aof") }).max() else {
      throw Site.Failure(description: "no append-only file in \(files)")
    }
    let path = "\(folder)/\(name)"
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    guard unsafe truncate(path, Int(Double(size) * part)) == 0 else {
      throw Site.Failure(description: "cannot cut \(path)")
    }
  }
}
