import CSystem

/// Memory that the allocator keeps although nobody uses it.
public enum SpareMemory {
  /// Bytes of it that are not worth a look.
  private static let trifle = 8 * 1_024 * 1_024

  /// Gives it back to the kernel when there is much.
  ///
  /// glibc gives back only what lies at the end of a heap, and a burst leaves its holes further in for good: after ten
  /// floods of messages 35 MB of a node were the allocator's, after this call 17. Each heap is held up while it is
  /// looked at, 0.5 ms with 8,000 connections and as much again when it is trimmed, so call it now and then, not often.
  public static func giveBack() {
    guard mallinfo2().fordblks > trifle else { return }
    malloc_trim(0)
  }
}
