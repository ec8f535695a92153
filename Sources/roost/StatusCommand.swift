import Glibc

/// `roost status`: the cluster in a terminal.
enum StatusCommand {
  /// Seconds between the two looks that a single picture needs, because rates take time.
  private static let onceSeconds = 1.0

  static func run(_ arguments: [String]) -> CInt {
    var flags = Flags(
      arguments, values: ["url", "interval", "api-key-file", "token-file", "ca-file"],
      switches: ["help", "json", "once"])
    if flags.has("help") {
      Console.print(help)
      return 0
    }
    flags.rest.forEach { flags.refuse("\"\($0)\" is not a flag") }
    let key = Credentials.api(&flags)
    let interval = flags.decimal("interval", 0.5...3_600, default: 2)
    let urls = (flags["url"] ?? "http://127.0.0.1:8080").split(separator: ",").map(String.init)
    if urls.isEmpty { flags.refuse("--url: which?") }
    guard !flags.complain("status"), let key else { return 2 }
    do {
      var callers: [APICaller] = []
      for url in urls { callers.append(try APICaller(url, key: key, authority: flags["ca-file"])) }
      if flags.has("json") || flags.has("once") || !Terminal.isClever(1) {
        return try showOnce(callers, isJSON: flags.has("json"))
      }
      try StatusWatch.run(callers, milliseconds: Int(interval * 1_000))
      return 0
    } catch {
      Console.complain("roost status: \(error)")
      return 1
    }
  }

  private static func showOnce(_ callers: [APICaller], isJSON: Bool) throws(APICaller.Failure) -> CInt {
    let before = try ClusterPicture.take(callers)
    usleep(UInt32(onceSeconds * 1_000_000))
    let picture = ClusterPicture(callers, before: before, now: try ClusterPicture.take(callers))
    Console.print(isJSON ? Terminal.harmlessJSON(picture.json) : picture.lines(false).joined(separator: "\n"))
    return 0
  }

  private static let help = """
    roost status [--url http://HOST:PORT[,…]]

    Shows the cluster: its nodes, and the rates and latencies of those that are named. On a terminal it is drawn anew
    until q or Ctrl-C; else it is printed once.

      --url           nodes, between commas; http://127.0.0.1:8080 unless given. The first is asked about the cluster.
                      Rates, latencies and slow clients are each node's own: name all whose figures you want to see
      --interval      seconds between two looks, 0.5 to 3600; 2 unless given
      --once          print it once, on a terminal too
      --json          one JSON object, once
      --api-key-file  a file with the API's key, or ROOST_API_KEY_FILE, or the key itself in ROOST_API_KEY
      --token-file    or an admin's token in a file, or in ROOST_TOKEN
      --ca-file       certificates to believe with https://, in PEM; the machine's unless given

    IN/S are messages from clients, ROOMS/S messages of rooms, OUT/S their copies for members, all a second; STORED is
    how long it takes until one is stored, LAG how late the loops are, since the look before.

    Exit code 0 after q or Ctrl-C, 1 when the cluster cannot be asked, 2 for misuse.
    """
}
