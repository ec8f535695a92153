public import EventLoops
import Glibc
import Locks
import RealtimeCore
import RedisRelay
import Synchronization
public import Telemetry
import Transport

/// One server process: its shards, its hub, and the port they listen on.
///
///     one shard:       Shard [ HubHost ]                     everything in one loop
///     several shards:  Shard ◄─ mailbox ─► HubShard [ HubHost ]
public final class Node: Sendable {
  /// Why a node cannot start.
  public enum StartError: Error, Equatable {
    /// The host of the configuration is no address that this machine has.
    case badHost(String)
    /// There is no key for tokens, or one that is none; says which.
    case badKeys(String)
    /// The Redis URL or prefix is not usable; says why, without the password.
    case badRedis(String)
    /// The certificate or its key is not usable; says why.
    case badTLS(String)
    case system(SystemError)
  }

  /// Shards are bits of a word where rooms remember who has members.
  private static let mostShards = 64

  /// What it listens on; differs from the configuration's when that is 0.
  public let port: UInt16
  /// What it listens on for administration, if that has a port of its own.
  public let adminPort: UInt16?
  let context: NodeContext
  let log: Log
  let shards: [Shard]
  private let hub: HubShard?
  private let hubStops = StopFlag()
  private let finished: Latch

  /// - Parameter whenDrainWanted: called on a thread of the node's when the API or another node asks that it drains and
  ///   ends, at most once. To do it is the caller's matter, by ``drain()``.
  public init(
    _ configuration: ServerConfiguration, log: Log, whenDrainWanted: @escaping @Sendable () -> Void = {}
  ) throws(StartError) {
    let wanted = configuration.shards > 0 ? configuration.shards : Int(sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    let count = min(max(1, wanted), Self.mostShards)
    let problems = configuration.tokenProblems
    guard problems.isEmpty else { throw .badKeys(problems.joined(separator: "; ")) }
    self.log = log
    do {
      let keys = try KeyKeeper(configuration)
      context = NodeContext(
        configuration, keys: keys, tls: try Self.tls(configuration, log), shards: count,
        descriptorLimit: raiseDescriptorLimit(), whenDrainWanted: whenDrainWanted)
      let loops = try Self.makeLoops(count)
      let inboxes = loops.map { Mailbox<Parcel>(wakes: $0) }
      let hubLoop = count > 1 ? try EventLoop() : nil
      let hubInbox = hubLoop.map { Mailbox<HubCommand>(wakes: $0) }
      var port = configuration.port
      var shards: [Shard] = []
      var admin = try configuration.adminPort.map { try Self.listen(configuration.adminHost, $0, sharesPort: false) }
      adminPort = admin?.port
      if port != 0 { try Self.claim(configuration.host, port) }
      for index in 0..<count {
        let listener = try Self.listen(configuration.host, port)
        port = listener.port
        shards.append(
          try Shard(
            index: UInt8(index), context: context, loop: loops[index], inbox: inboxes[index], listener: listener,
            adminListener: admin.take(), hub: hubInbox, log: log))
      }
      (self.port, self.shards) = (port, shards)
      finished = Latch(count + (count > 1 ? 1 : 0) + (keys.fetches ? 1 : 0))
      guard let hubLoop, let hubInbox else {
        hub = nil
        return
      }
      hub = try HubShard(
        loop: hubLoop, inbox: hubInbox, shards: inboxes, isStopping: hubStops, context: context, port: port,
        log: log)
    } catch let error as SystemError {
      throw .system(error)
    } catch let error as RedisConfigurationError {
      throw .badRedis(error.description)
    } catch let error as StartError {
      throw error
    } catch {
      preconditionFailure("an error without a name: \(error)")
    }
  }

  /// Starts the threads. Once.
  public func start() {
    let finished = finished
    for (index, shard) in shards.enumerated() {
      onNewThread(name: "shard \(index)") {
        shard.run()
        finished.arrive()
      }
    }
    if let hub {
      onNewThread(name: "hub") {
        hub.run()
        finished.arrive()
      }
    }
    if context.keys.fetches {
      let (keys, log, inboxes) = (context.keys, log, shards.map(\.inbox))
      onNewThread(name: "keys") {
        keys.run(inboxes, log: log)
        finished.arrive()
      }
    }
    for warning in context.configuration.warnings { log.warning("insecure setting", ["what": .string(warning)]) }
    context.isReady.store(true, ordering: .relaxed)
  }

  /// Drops what is left, ends the threads and returns when they are gone. After ``start()``, once.
  public func stop() async {
    context.isDraining.store(true, ordering: .relaxed)
    for shard in shards { shard.inbox.post(Parcel(commands: [.stop], frames: [])) }
    hubStops.set()
    context.keys.stop()
    hub?.loop.wake()
    await finished.wait()
  }

  /// Takes the keys of tokens and of the API from what the settings' files hold now. If anything is wrong with that,
  /// the log says so and all stays as it was. Connections go on to their tokens' end in any case. From any thread.
  ///
  /// - Parameter reader: the settings the node was started with, read once more.
  public func reloadKeys(_ reader: ConfigurationReader) {
    for remark in reader.remarks { log.warning("configuration", ["note": .string(remark)]) }
    // A certificate that is no good must not keep a key that was stolen.
    let others = reader.configuration.tlsProblems
    let problems = reader.problems.filter { !others.contains($0) }
    guard problems.isEmpty else {
      for problem in problems {
        log.error("keys not reloaded, those before stay", ["reason": .string(problem)])
      }
      return
    }
    let (keys, apiKeys) = (reader.configuration.verificationKeys.keys, reader.configuration.apiKeys)
    context.keys.exchange(keys)
    context.apiKeys.locked { $0 = APIKeys(apiKeys) }
    for shard in shards { shard.inbox.post(Parcel(commands: [.keysChanged], frames: [])) }
    log.info("keys reloaded", ["keys": .integer(keys.count), "api_keys": .integer(apiKeys.count)])
  }

  /// Reads the certificate and its key again. New connections get what the files hold; if that is no good, the log
  /// says so and all stays as it was. Open connections go on in any case. From any thread.
  public func reloadCertificate() {
    guard let tls = context.tls else { return }
    do { try tls.reload() } catch {
      return log.error("certificate not reloaded, the one before stays", ["reason": .string(error.description)])
    }
    log.info("certificate reloaded", ["file": .string(context.configuration.tls.certificateFile)])
    if let warning = tls.warning { log.warning("certificate", ["reason": .string(warning)]) }
  }

  /// Open sockets, WebSockets or not.
  public var connectionCount: Int { context.connectionCount.load(ordering: .relaxed) }

  /// What waits for slow clients, and who they are: at most ten of each shard, those with the most bytes first. From
  /// any thread.
  public var backlogs: BacklogReport { context.backlogs.map(\.latest).reduce(BacklogReport(), +) }

  /// Writes to the log what `GET /api/debug` and `GET /api/slow` tell.
  public func logState() {
    context.writeState(to: log)
    log.note(backlogs)
  }

  // MARK: Parts

  private static func tls(_ configuration: ServerConfiguration, _ log: Log) throws(StartError) -> TLSServer? {
    guard let identity = configuration.tls.identity else { return nil }
    do {
      let tls = try TLSServer(identity)
      if let warning = tls.warning { log.warning("certificate", ["reason": .string(warning)]) }
      return tls
    } catch {
      throw .badTLS(error.description)
    }
  }

  private static func makeLoops(_ count: Int) throws(SystemError) -> [EventLoop] {
    var loops: [EventLoop] = []
    for _ in 0..<count { loops.append(try EventLoop()) }
    return loops
  }

  /// Shards share their port, and the kernel would let a forgotten node of the same user share it too, in silence:
  /// whoever came would be at one or the other by chance. Who does not share finds out whether somebody is there.
  private static func claim(_ host: String, _ port: UInt16) throws {
    _ = try listen(host, port, sharesPort: false)
  }

  private static func listen(_ host: String, _ port: UInt16, sharesPort: Bool = true) throws -> Listener {
    guard let address = Address.resolve(host: host, port: port).first else { throw StartError.badHost(host) }
    return try Listener(address, sharesPort: sharesPort)
  }
}
