extension BenchReport {
  /// For people.
  public var text: String {
    var lines = ["\(scenario.rawValue): \(connections) of \(planned) connections, \(rounded(seconds, 2)) s"]
    if scenario == .idle {
      lines.append(
        "memory     \(rounded(residentBytesPerConnection)) B resident per connection, "
          + "\(rounded(privateBytesPerConnection)) B private")
      lines.append("server     \(rounded(server.cpuSeconds, 4)) CPU s while idle")
    } else {
      let unit = scenario == .connect ? "connects" : "deliveries"
      lines.append("\(unit.padding(11))\(rounded(perSecond)) a second (\(deliveries)), sent \(sent), acks \(acks)")
      lines.append(
        "latency    "
          + Self.shares.map { "\($0.name) \(rounded(latency.microseconds(at: $0.share))) µs" }.joined(separator: "  ")
          + "  max \(rounded(Double(latency.maximum) / 1_000)) µs")
      lines.append(
        "server     \(rounded(server.cpuSeconds, 3)) CPU s, \(rounded(cpuPerDelivery, 3)) µs each, "
          + "\(rounded(deliveriesPerCPUSecond)) per CPU second")
      lines.append("generator  \(rounded(generatorSeconds, 3)) CPU s")
    }
    lines.append("lost \(lost)  duplicates \(duplicates)  order violations \(orderViolations)  errors \(errors)")
    if !firstError.isEmpty { lines.append("first error: \(firstError)") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// One object on one line.
  public var json: String {
    var members = [
      "\"scenario\":\"\(scenario.rawValue)\"", "\"connections\":\(connections)", "\"planned\":\(planned)",
      "\"seconds\":\(rounded(seconds, 3))", "\"deliveries\":\(deliveries)", "\"per_second\":\(rounded(perSecond))",
      "\"sent\":\(sent)", "\"acks\":\(acks)", "\"lost\":\(lost)", "\"duplicates\":\(duplicates)",
      "\"order_violations\":\(orderViolations)", "\"errors\":\(errors)",
      "\"server_cpu_s\":\(rounded(server.cpuSeconds, 4))", "\"server_user_s\":\(rounded(server.userSeconds, 2))",
      "\"server_system_s\":\(rounded(server.systemSeconds, 2))",
      "\"cpu_us_per_delivery\":\(rounded(cpuPerDelivery, 4))",
      "\"deliveries_per_cpu_s\":\(rounded(deliveriesPerCPUSecond))",
      "\"generator_cpu_s\":\(rounded(generatorSeconds, 4))",
      "\"resident_bytes_per_connection\":\(rounded(residentBytesPerConnection, 1))",
      "\"private_bytes_per_connection\":\(rounded(privateBytesPerConnection, 1))",
      "\"max_us\":\(rounded(Double(latency.maximum) / 1_000, 1))",
    ]
    members += Self.shares.map { "\"\($0.name)_us\":\(rounded(latency.microseconds(at: $0.share), 1))" }
    return "{\(members.joined(separator: ","))}\n"
  }

  private static let shares = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99_9", 0.999)]
    .map { (name: $0.0, share: $0.1) }

  private func rounded(_ value: Double, _ digits: Int = 0) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let whole = (value * scale).rounded()
    guard digits > 0 else { return "\(Int(whole))" }
    let text = "\(Int(whole.magnitude))"
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    return (whole < 0 ? "-" : "") + padded.dropLast(digits) + "." + padded.suffix(digits)
  }
}

extension String {
  fileprivate func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
