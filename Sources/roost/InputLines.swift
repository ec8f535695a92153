import EventLoops

/// The lines of standard input.
enum InputLines {
  /// The next line without its end; `nil` at the end. Waits on a thread of its own, because reading blocks, and cannot
  /// be cancelled: who does not want to wait any longer ends the process.
  static func next() async -> String? {
    await withCheckedContinuation { continuation in
      onNewThread(name: "input") { continuation.resume(returning: readLine()) }
    }
  }
}
