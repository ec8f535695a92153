import EventLoops
import RoostTesting

// What happens between the nodes and Redis.
extension Fault {
  static let wire: [Fault] = [
    Fault(
      name: "delay", summary: "everything to and from Redis takes 50 to 500 ms more, for 4 s", family: .wire, seconds: 6
    ) {
      scene in
      scene.site.wireAll(.treat(.all, .init(delay: 25...250)))
      await scene.pause(4)
      scene.site.wireAll(.treat(.all, .init()))
      await scene.timeToService("full service after")
    },
    Fault(name: "cut-wire", summary: "a node's connections to Redis are reset, new ones refused for 1 s", family: .wire)
    {
      scene in
      let wire = scene.site.wires[scene.anyNode()]
      wire.order(.refuse(true))
      wire.order(.cut(.all))
      await scene.pause(1)
      wire.order(.refuse(false))
      await scene.timeToService("full service after")
    },
    Fault(name: "half-open", summary: "a node's connections to Redis pass nothing any more", family: .wire, seconds: 5)
    {
      scene in
      let (node, start) = (scene.anyNode(), monotonicMilliseconds())
      scene.site.wires[node].order(.strand(.all))
      await scene.timeToService("noticed and repaired after", of: node, since: start)
    },
    Fault(
      name: "deaf-sub", summary: "nothing arrives on a node's subscriber connection any more", family: .wire, seconds: 5
    ) { scene in
      let (node, start) = (scene.anyNode(), monotonicMilliseconds())
      scene.site.wires[node].order(.strand(.subscriber))
      await scene.timeToService("noticed and repaired after", of: node, since: start)
    },
    Fault(
      name: "deaf-cmd", summary: "a node's commands arrive, their answers do not, for 3 s", family: .wire, seconds: 5
    ) { scene in
      let wire = scene.site.wires[scene.anyNode()]
      wire.order(.treat(.command, .init(holdsToClient: true)))
      await scene.pause(3)
      wire.order(.treat(.command, .init()))
      await scene.timeToService("full service after")
    },
    Fault(
      name: "byte-by-byte", summary: "everything to and from Redis arrives one byte at a time, for 3 s", family: .wire,
      seconds: 5
    ) { scene in
      scene.site.wireAll(.treat(.all, .init(isByteByByte: true)))
      await scene.pause(3)
      scene.site.wireAll(.treat(.all, .init()))
      await scene.timeToService("full service after")
    },
    nonsense("garbage-cmd", "garbage among a node's replies", .command, "!garbage\r\n\0\u{FF}?"),
    nonsense("garbage-sub", "garbage among what a subscriber gets", .subscriber, "!garbage\r\n\0\u{FF}?"),
    nonsense("huge-bulk", "a reply that says it has 512 MB", .command, "$536870912\r\n"),
    nonsense("huge-array", "a reply that says it has a milliard of elements", .subscriber, "*1000000000\r\n"),
    truncated("truncate-cmd", .command), truncated("truncate-sub", .subscriber),
    Fault(
      name: "new-address", summary: "Redis moves to another address with its data", family: .wire, mayAnnounce: true,
      seconds: 5
    ) { scene in
      let old = scene.site.redis
      let other = try await replica(of: old, at: old.port)
      try other.ask("REPLICAOF", "NO", "ONE")
      scene.site.replace(by: other)
      scene.site.wireAll(.cut(.all))
      await scene.timeToService("full service after")
    },
  ]

  private static func nonsense(_ name: String, _ summary: String, _ line: FaultProxy.Line, _ text: String) -> Fault {
    Fault(name: name, summary: summary, family: .wire) { scene in
      let node = scene.anyNode()
      scene.site.wires[node].order(.inject(line, Array(text.utf8)))
      await scene.timeToService("full service after", without: [])
    }
  }

  private static func truncated(_ name: String, _ line: FaultProxy.Line) -> Fault {
    Fault(name: name, summary: "half a reply, then the end of the connection", family: .wire) { scene in
      let wire = scene.site.wires[scene.anyNode()]
      wire.order(.truncate(line))
      await scene.timeToService("full service after")
    }
  }
}
