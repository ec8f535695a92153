import RoostClient

extension ClusterPicture {
  private static let shownRooms = 10
  private static let shownClients = 10

  /// For people. The heads of tables are bold when `isStyled`.
  func lines(_ isStyled: Bool) -> [String] {
    var sections = [[summary], titled(nodeTable, isStyled), titled(figureTable, isStyled)]
    sections.append(figures.compactMap { figure in figure.remark.map { "\(figure.url) \($0)" } })
    if !look.rooms.isEmpty { sections.append(titled(roomTable, isStyled)) }
    if !slowest.isEmpty { sections.append(titled(slowTable, isStyled)) }
    return Array(sections.filter { !$0.isEmpty }.joined(separator: [""]))
  }

  private func titled(_ table: Table, _ isStyled: Bool) -> [String] {
    var lines = table.lines
    lines[0] = Terminal.styled(lines[0], .bold, isStyled)
    return lines
  }

  private var summary: String {
    func sum(_ name: String) -> Int { look.nodes.compactMap { $0[name]?.integer }.reduce(0, +) }
    let connections = look.online?["online"]?.integer ?? sum("connections")
    let users = look.online?["users"]?.integer.map { [Self.count($0, "user")] } ?? []
    let rooms = look.hasMoreRooms ? "\(look.rooms.count) or more rooms" : Self.count(look.rooms.count, "room")
    let counts = [Self.count(look.nodes.count, "node"), Self.count(connections, "connection")] + users + [rooms]
    return counts.joined(separator: ", ") + (look.isPartial ? "; a node did not answer in time" : "")
  }

  private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  private var nodeTable: Table {
    var table = Table(
      ["NODE", "STATE", "ADDRESS", "CONNECTIONS", "USERS", "ROOMS", "UPTIME", "VERSION"], numbers: [3, 4, 5, 6])
    for node in look.nodes {
      table.add([
        node["node"]?.string, node["state"]?.string, node["address"]?.string, node["connections"]?.description,
        node["users"]?.description, node["rooms"]?.description,
        node["uptime_seconds"]?.integer.map(Self.duration), node["version"]?.string,
      ])
    }
    return table
  }

  /// Each line is of the node that answers at its address.
  private var figureTable: Table {
    var table = Table(
      ["AT", "CONNECTIONS", "IN/S", "ROOMS/S", "OUT/S", "STORED p50", "p99", "LAG p99", "CPU", "MEMORY", "RELAY"],
      numbers: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    for figure in figures {
      table.add([
        figure.url, figure.connections.map { Self.number($0) }, figure.received.map { Self.number($0) },
        figure.roomMessages.map { Self.number($0) }, figure.delivered.map { Self.number($0) },
        figure.relayMedian.map(Self.milliseconds), figure.relayNearWorst.map(Self.milliseconds),
        figure.lagNearWorst.map(Self.milliseconds), figure.processor.map { "\(Self.number($0 * 100))%" },
        figure.memory.map { "\(Self.number($0 / 1_048_576)) MiB" }, figure.relay,
      ])
    }
    return table
  }

  private var roomTable: Table {
    var table = Table(["ROOM", "USERS"], numbers: [1])
    for room in look.rooms.prefix(Self.shownRooms) { table.add([room["room"]?.string, room["count"]?.description]) }
    if look.rooms.count > Self.shownRooms { table.add(["…", ""]) }
    return table
  }

  private var slowTable: Table {
    var table = Table(["SLOW CLIENT", "ADDRESS", "WAITING", "MESSAGES", "STALLED", "AT"], numbers: [2, 3, 4])
    for (url, client) in slowest.prefix(Self.shownClients) {
      table.add([
        client["connection"]?.string, client["address"]?.string,
        client["bytes"]?.integer.map { "\(Self.number(Double($0) / 1_024)) KiB" }, client["messages"]?.description,
        client["stalled_ms"]?.integer.map { "\($0) ms" }, url,
      ])
    }
    return table
  }

  // MARK: Numbers

  /// With one digit behind the point below ten.
  static func number(_ value: Double) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "-" }
    guard value < 10, value > 0 else { return "\(Int(value.rounded()))" }
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }

  private static func milliseconds(_ seconds: Double) -> String { "\(number(seconds * 1_000)) ms" }

  static func duration(_ seconds: Int) -> String {
    switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3_600: "\(seconds / 60)m\(seconds % 60)s"
    case ..<86_400: "\(seconds / 3_600)h\(seconds % 3_600 / 60)m"
    default: "\(seconds / 86_400)d\(seconds % 86_400 / 3_600)h"
    }
  }
}
