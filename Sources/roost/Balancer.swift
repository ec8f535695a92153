/// The haproxy in front of a cluster on one machine.
enum Balancer {
  /// A configuration for nodes on this machine.
  static func configuration(port: UInt16, nodes: [UInt16]) -> String {
    let servers = nodes.enumerated().map { "  server node-\($0 + 1) 127.0.0.1:\($1)" }
    return """
      global
        log stderr format raw local0 notice

      defaults
        mode http
        log global
        timeout http-request 5s
        timeout http-keep-alive 10s
        timeout connect 2s
        # A busy node is late with its answer to a check, which makes it no dead one.
        timeout check 3s
        timeout client 30s
        timeout server 30s
        # After the upgrade: nodes ping every 54 s, so a longer silence is a dead peer.
        timeout tunnel 90s
        # A connection that waits for a next request would keep a node that stops waiting.
        option http-server-close
        retries 2
        option redispatch 1

      frontend clients
        bind 127.0.0.1:\(port)
        # Ours replaces whatever a client claims.
        http-request set-header X-Forwarded-For %[src]
        default_backend nodes

      backend nodes
        # Connections live for hours: what counts is how many a node holds, not how many it was given.
        balance leastconn
        option httpchk
        http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host balancer
        http-check expect status 200
        default-server check inter 500ms fall 2 rise 1
      \(servers.joined(separator: "\n"))

      """
  }
}
