import EventLoops
import Glibc

/// What a command shows on a terminal whose modes it has changed.
protocol TerminalPicture: Sendable {
  /// The terminal is ours, for the first time or again.
  func begin()
  /// It is somebody else's.
  func end()
  /// The window has another size, or there is news to be shown.
  func redraw()
}

/// Signals around a ``TerminalPicture``: whatever ends or stops the process finds the terminal as it was before.
enum TerminalSignals {
  private static let ending = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
  private static let news = SIGUSR1
  private static let over = SIGUSR2

  /// Call before any thread is made, so that none but the waiting one gets them.
  static func block() {
    blockSignals(ending + [news, over, SIGTSTP, SIGWINCH])
    // Swift's runtime takes it for a crash, and asks whoever sits there what to do about it.
    signal(SIGQUIT, SIG_DFL)
  }

  /// There is something to draw. From any thread.
  static func tellNews() { kill(getpid(), news) }

  /// The picture is over. From any thread.
  static func tellOver() { kill(getpid(), over) }

  /// Shows the picture until ``tellOver()``, or one of `good` signals. Other signals end the process.
  ///
  /// It blocks the main thread, which must not suspend meanwhile: then it would be the runtime's, which takes every
  /// signal by its default.
  static func show(_ picture: some TerminalPicture, good: [CInt] = []) {
    picture.begin()
    defer { picture.end() }
    while true {
      let signal = waitForSignal(ending + [news, over, SIGTSTP, SIGWINCH])
      switch signal {
      case over: return
      case news, SIGWINCH: picture.redraw()
      case SIGTSTP:
        picture.end()
        letSignalAct(SIGTSTP)
        picture.begin()
      default:
        if good.contains(signal) { return }
        picture.end()
        letSignalAct(signal)
        // Where it is ignored, as SIGHUP is under nohup, nothing has happened.
        picture.begin()
      }
    }
  }
}
