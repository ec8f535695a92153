public import Glibc

/// What the kernel says a process has used, from `/proc`.
public struct ProcessUsage: Sendable {
  /// Time on a processor, of all its threads, in seconds.
  public var cpuSeconds = 0.0
  public var userSeconds = 0.0
  public var systemSeconds = 0.0
  /// Memory that is resident, and the part of it that is the process' own, in KiB.
  public var residentKiB = 0
  public var privateKiB = 0

  public init() {}

  /// The sum over `processes`; those that do not exist count nothing.
  public init(of processes: [pid_t]) {
    for process in processes { add(process) }
  }

  private mutating func add(_ process: pid_t) {
    let nanoseconds = Self.entries("/proc/\(process)/task")
      .map { Self.numbers("/proc/\(process)/task/\($0)/schedstat").first ?? 0 }
    cpuSeconds += Double(nanoseconds.reduce(0, +)) / 1e9
    // The name in parentheses may hold anything, so fields count from behind it.
    let stat = Self.text("/proc/\(process)/stat")
    let fields = (stat.lastIndex(of: ")").map { stat[$0...] } ?? "").split(separator: " ")
    if fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) {
      let ticks = Double(sysconf(CInt(_SC_CLK_TCK)))
      userSeconds += user / ticks
      systemSeconds += system / ticks
    }
    for line in Self.text("/proc/\(process)/smaps_rollup").split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 2, let amount = Int(words[1]) else { continue }
      if words[0] == "Rss:" { residentKiB += amount }
      if words[0] == "Private_Dirty:" { privateKiB += amount }
    }
  }

  public static func - (later: ProcessUsage, earlier: ProcessUsage) -> ProcessUsage {
    var difference = ProcessUsage()
    difference.cpuSeconds = later.cpuSeconds - earlier.cpuSeconds
    difference.userSeconds = later.userSeconds - earlier.userSeconds
    difference.systemSeconds = later.systemSeconds - earlier.systemSeconds
    difference.residentKiB = later.residentKiB - earlier.residentKiB
    difference.privateKiB = later.privateKiB - earlier.privateKiB
    return difference
  }

  // MARK: Files

  private static func numbers(_ path: String) -> [Int] {
    text(path).split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
  }

  private static func text(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
    }
  }

  private static func entries(_ path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }
}
