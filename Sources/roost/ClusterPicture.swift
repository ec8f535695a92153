import EventLoops
import LoadGenerator
import RoostClient

/// The cluster at one moment: what any node knows of all, and what each node that was named knows of itself.
struct ClusterPicture {
  /// One look at everything.
  struct Look {
    var online: JSONText?
    var nodes: [JSONText] = []
    var rooms: [JSONText] = []
    /// There are more rooms than were looked at.
    var hasMoreRooms = false
    /// A node did not answer in time.
    var isPartial = false
    var metrics: [NodeMetrics?] = []
    var slow: [JSONText?] = []
  }

  /// Pages of 200 rooms that are looked at.
  private static let pages = 5

  let look: Look
  let figures: [NodeFigures]

  init(_ callers: [APICaller], before: Look?, now: Look) {
    look = now
    figures = callers.indices.map { index in
      NodeFigures(callers[index].url, before?.metrics[index], now.metrics[index])
    }
  }

  /// The first that can be asked tells what all know; each tells about itself.
  static func take(_ callers: [APICaller]) throws(APICaller.Failure) -> Look {
    var look = Look()
    let nodes = try callers[0].get("/api/nodes")
    look.nodes = nodes["nodes"]?.elements ?? []
    look.isPartial = nodes["partial"]?.flag ?? false
    // On an administration port there is none.
    look.online = try callers[0].find("/ws/online").flatMap { JSONText($0.body) }
    var path = "/api/rooms?limit=200"
    for page in 1...pages {
      let rooms = try callers[0].get(path)
      look.rooms += rooms["rooms"]?.elements ?? []
      if rooms["partial"]?.flag == true { look.isPartial = true }
      guard let next = rooms["next"]?.string else { break }
      look.hasMoreRooms = page == pages
      path = "/api/rooms?limit=200&after=\(next)"
    }
    look.rooms.sort { ($0["count"]?.integer ?? 0) > ($1["count"]?.integer ?? 0) }
    for caller in callers {
      let text = try caller.find("/metrics")?.text
      look.metrics.append(text.map { NodeMetrics($0, time: monotonicMilliseconds()) })
      look.slow.append(try caller.get("/api/slow"))
    }
    return look
  }

  /// Slow clients of all that were asked, the slowest first.
  var slowest: [(url: String, client: JSONText)] {
    var found: [(url: String, client: JSONText)] = []
    for (figures, slow) in zip(figures, look.slow) {
      found += (slow?["slowest"]?.elements ?? []).map { (figures.url, $0) }
    }
    return found.sorted { ($0.client["bytes"]?.integer ?? 0) > ($1.client["bytes"]?.integer ?? 0) }
  }

  var json: String {
    func list(_ values: [JSONText]) -> String { "[\(values.map(\.description).joined(separator: ","))]" }
    let slow = slowest.map { url, client in
      "{\"url\":\(JSONText(string: url)),\"client\":\(client)}"
    }
    return "{\"online\":\(look.online?.description ?? "null"),\"partial\":\(look.isPartial),"
      + "\"nodes\":\(list(look.nodes)),\"at\":\(list(figures.map(\.json))),\"rooms\":\(list(look.rooms)),"
      + "\"more_rooms\":\(look.hasMoreRooms),\"slow\":[\(slow.joined(separator: ","))]}"
  }
}
