import EventLoops
import Glibc
import Locks
import Synchronization

/// `roost status` on a terminal: a page that is drawn anew, and goes when it ends.
final class StatusWatch: TerminalPicture {
  private let modes = TerminalModes()
  private let lines: Mutex<[String]>
  private static let isColoured = Terminal.isColoured(1)

  private init(_ lines: [String]) { self.lines = Mutex(lines) }

  /// Until q, Ctrl-C or another signal.
  static func run(_ callers: [APICaller], milliseconds: Int) throws(APICaller.Failure) {
    // What is wrong from the start is told where it stays to be read.
    let first = try ClusterPicture.take(callers)
    TerminalSignals.block()
    let watch = StatusWatch(ClusterPicture(callers, before: nil, now: first).lines(isColoured))
    // Asking may take long, and keys and signals do not wait for it. Both threads end with the process.
    onNewThread(name: "status") { watch.look(callers, first, milliseconds: milliseconds) }
    if Terminal.isTerminal(0) { onNewThread(name: "keys") { readUntilQuit() } }
    TerminalSignals.show(watch, good: [SIGINT])
  }

  private func look(_ callers: [APICaller], _ first: ClusterPicture.Look, milliseconds: Int) {
    var before: ClusterPicture.Look? = first
    while true {
      usleep(UInt32(milliseconds) * 1_000)
      do {
        let now = try ClusterPicture.take(callers)
        show(ClusterPicture(callers, before: before, now: now).lines(Self.isColoured))
        before = now
      } catch {
        show([Terminal.styled("\(error)", .red, Self.isColoured)])
        before = nil
      }
    }
  }

  private func show(_ news: [String]) {
    lines.locked { $0 = news }
    TerminalSignals.tellNews()
  }

  private static func readUntilQuit() {
    var key: UInt8 = 0
    while true {
      let count = unsafe read(0, &key, 1)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      if key == UInt8(ascii: "q") { return TerminalSignals.tellOver() }
    }
  }

  // MARK: Picture

  /// On a screen of its own, without a cursor, and keys are not shown.
  func begin() {
    modes.takeKeys()
    Console.write("\u{1B}[?1049h\u{1B}[?25l", to: 1)
    redraw()
  }

  func end() {
    Console.write("\u{1B}[?25h\u{1B}[?1049l", to: 1)
    modes.giveBack()
  }

  /// From the top of the screen, as much as there is room for.
  func redraw() {
    let rows = Terminal.size.rows
    let all = lines.locked { $0 }
    var shown = Array(all.prefix(max(1, rows - 1)))
    if all.count > shown.count { shown[shown.count - 1] = "…" }
    // Each line is cleared before it is written, and cut by the terminal where it is too long.
    let text = shown.map { "\u{1B}[K" + $0 }.joined(separator: "\r\n")
    Console.write("\u{1B}[H\u{1B}[?7l\(text)\r\n\u{1B}[J\u{1B}[?7h", to: 1)
  }
}
