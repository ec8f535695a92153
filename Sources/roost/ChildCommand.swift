import CSystem
import Glibc

/// `roost with-parent PID program …`: becomes `program`, which the kernel kills when process PID ends, however it ends.
///
/// Not for people: `cluster` and `bench --spawn` start their processes through it, so that none outlives them.
enum ChildCommand {
  static let name = "with-parent"

  static func run(_ arguments: [String]) -> CInt {
    guard arguments.count >= 2, let parent = pid_t(arguments[0]) else { return 2 }
    guard set_parent_death_signal(SIGKILL) == 0 else { return 1 }
    // It may have ended before the kernel was told.
    guard getppid() == parent else { return 1 }
    var pointers = unsafe arguments.dropFirst().map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    unsafe execvp(pointers[0]!, pointers)
    unsafe Console.complain("\(arguments[1]): \(String(cString: strerror(errno)))")
    return 127
  }
}
