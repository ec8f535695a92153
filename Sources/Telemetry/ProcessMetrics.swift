import Glibc

/// What the kernel knows about this process.
public struct ProcessMetrics: Equatable, Sendable {
  public let residentBytes: Int
  /// What the machine or the process' control group allows; nil when unknown.
  public let memoryLimitBytes: Int?
  public let virtualBytes: Int
  public let openDescriptors: Int
  public let descriptorLimit: Int
  /// User and system time, all threads, in seconds.
  public let cpuSeconds: Double
  /// Seconds since 1970.
  public let startTime: Double

  /// Reads all of it from /proc; nil when that is not there. Blocks for some tens of microseconds.
  public static func read() -> ProcessMetrics? {
    let page = sysconf(CInt(_SC_PAGESIZE))
    let ticks = sysconf(CInt(_SC_CLK_TCK))
    guard
      let memory = file("/proc/self/statm")?.split(separator: " ").compactMap({ Int($0) }), memory.count > 1,
      let startTicks = startTicks(), let boot = bootTime(), let descriptors = openDescriptors(),
      page > 0, ticks > 0
    else { return nil }
    var limit = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var cpu = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu)
    return ProcessMetrics(
      residentBytes: memory[1] * page, memoryLimitBytes: MemoryLimit.read(file), virtualBytes: memory[0] * page,
      openDescriptors: descriptors,
      descriptorLimit: Int(clamping: limit.rlim_cur), cpuSeconds: Double(cpu.tv_sec) + Double(cpu.tv_nsec) / 1e9,
      startTime: Double(boot) + Double(startTicks) / Double(ticks))
  }

  /// Appends the metrics under the names all Prometheus clients give them.
  public func write(to text: inout MetricsText) {
    text.write(Self.cpu, cpuSeconds)
    text.write(Self.resident, residentBytes)
    text.write(Self.virtual, virtualBytes)
    text.write(Self.memoryLimit, memoryLimitBytes.map { Double($0) } ?? .infinity)
    text.write(Self.descriptors, openDescriptors)
    text.write(Self.descriptorMaximum, descriptorLimit)
    text.write(Self.start, startTime)
  }

  /// What ``write(to:)`` writes, for the list of all metrics.
  public static let descriptions = [cpu, resident, virtual, memoryLimit, descriptors, descriptorMaximum, start]

  private static let cpu = MetricDescription(
    "process_cpu_seconds_total", .counter, help: "User and system CPU time spent, in seconds.")
  private static let resident = MetricDescription(
    "process_resident_memory_bytes", .gauge, help: "Resident memory, in bytes.")
  private static let virtual = MetricDescription(
    "process_virtual_memory_bytes", .gauge, help: "Virtual memory, in bytes.")
  private static let memoryLimit = MetricDescription(
    "roost_memory_limit_bytes", .gauge, help: "Memory that the machine has, or the process' control group may use.")
  private static let descriptors = MetricDescription("process_open_fds", .gauge, help: "Open file descriptors.")
  private static let descriptorMaximum = MetricDescription(
    "process_max_fds", .gauge, help: "Most file descriptors the process may open.")
  private static let start = MetricDescription(
    "process_start_time_seconds", .gauge, help: "When the process started, in seconds since 1970.")

  /// Field 22 of /proc/self/stat. The second field is the program's name, which may hold anything, so fields are
  /// counted from its closing parenthesis.
  private static func startTicks() -> Int? {
    guard let stat = file("/proc/self/stat"), let name = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: name)...].split(separator: " ")
    return fields.count > 19 ? Int(fields[19]) : nil
  }

  private static func bootTime() -> Int? {
    file("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Int($0.dropFirst(6)) }
  }

  /// Since Linux 6.2 the directory's size is the number; before, its entries are counted.
  private static func openDescriptors() -> Int? {
    var status = stat()
    if unsafe stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return Int(status.st_size) }
    guard let directory = unsafe opendir("/proc/self/fd") else { return nil }
    defer { unsafe closedir(directory) }
    var entries = 0
    while unsafe readdir(directory) != nil { entries += 1 }
    return entries - 3  // ".", ".." and the directory itself
  }

  private static func file(_ path: String) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
      guard count > 0 else { return count == 0 ? String(decoding: content, as: UTF8.self) : nil }
      content += chunk[..<count]
    }
  }
}
