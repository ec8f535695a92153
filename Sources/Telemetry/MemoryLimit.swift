/// How much memory this process may come to use.
enum MemoryLimit {
  /// What the machine has, or the process' control group (version 2) and those above it are allowed, whichever is
  /// least; bytes. `nil` when none can be read.
  static func read(_ file: (String) -> String?) -> Int? {
    ([machine(file)] + groups(file)).compactMap { $0 }.min()
  }

  private static func machine(_ file: (String) -> String?) -> Int? {
    guard let line = file("/proc/meminfo")?.split(separator: "\n").first(where: { $0.hasPrefix("MemTotal:") }) else {
      return nil
    }
    return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1_024 }
  }

  /// In a container the path is often `/`, and the file stands at the root of what can be seen.
  private static func groups(_ file: (String) -> String?) -> [Int?] {
    guard let line = file("/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else {
      return []
    }
    var path = line.dropFirst(3).split(separator: "/")
    var limits: [Int?] = []
    while true {
      let folder = path.map { "/\($0)" }.joined()
      limits.append(file("/sys/fs/cgroup\(folder)/memory.max").flatMap { Int($0.prefix { $0 != "\n" }) })
      guard path.popLast() != nil else { return limits }
    }
  }
}
