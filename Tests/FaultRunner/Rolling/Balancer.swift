import EventLoops
import Foundation
import Glibc
import RoostTesting

/// A haproxy on this machine that gives each new connection to the node that has fewest.
@MainActor
final class Balancer {
  private let process: TestProcess
  let port: UInt16

  init(port: UInt16, nodes: [UInt16], connections: Int, folder: String) throws {
    self.port = port
    let path = "\(folder)/haproxy.cfg"
    try Data(Self.configuration(port, nodes, connections).utf8).write(to: URL(fileURLWithPath: path))
    // The kernel ends it with us, however we end. What it says of nodes that come and go is no news.
    process = try TestProcess(
      [try ClusterNode.binary(), "with-parent", "\(getpid())", "haproxy", "-db", "-f", path], hearsErrors: false)
  }

  var address: Address { Address(host: "127.0.0.1", port: port)! }

  func stop() { process.kill() }

  private static func configuration(_ port: UInt16, _ nodes: [UInt16], _ connections: Int) -> String {
    let servers = nodes.map { "  server node-\($0) 127.0.0.1:\($0)" }.joined(separator: "\n")
    return """
      global
        maxconn \(2 * connections + 200)
      defaults
        mode http
        timeout http-request 60s
        timeout connect 10s
        timeout client 60s
        timeout server 60s
        timeout tunnel 300s
        timeout check 20s
        option http-server-close
        retries 2
        option redispatch 1
      frontend clients
        bind 127.0.0.1:\(port)
        default_backend nodes
      backend nodes
        balance leastconn
        option httpchk
        http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host balancer
        http-check expect status 200
        default-server check inter 500ms fastinter 200ms downinter 200ms fall 2 rise 1
      \(servers)

      """
  }
}
