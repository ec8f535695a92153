import Glibc
import Locks
import Synchronization

/// The modes of the terminal on standard input, which a command changes and gives back.
final class TerminalModes: Sendable {
  private let saved = Mutex<termios?>(nil)

  /// From now on keys come one by one, and the kernel shows none of them. Ctrl-C, Ctrl-\ and Ctrl-Z are signals still.
  func takeKeys() {
    saved.locked { saved in
      var modes = termios()
      guard saved == nil, unsafe tcgetattr(0, &modes) == 0 else { return }
      saved = modes
      modes.c_lflag &= ~tcflag_t(ICANON | ECHO | IEXTEN)
      unsafe withUnsafeMutableBytes(of: &modes.c_cc) { controls in
        unsafe controls[Int(VMIN)] = 1
        unsafe controls[Int(VTIME)] = 0
      }
      unsafe tcsetattr(0, TCSADRAIN, &modes)
    }
  }

  /// Everything as it was.
  func giveBack() {
    saved.locked { saved in
      guard var modes = saved else { return }
      unsafe tcsetattr(0, TCSADRAIN, &modes)
      saved = nil
    }
  }
}
