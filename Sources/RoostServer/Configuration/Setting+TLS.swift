extension Setting {
  static let tls: [Setting] = [
    .text(
      "tls-cert", "certificate with its chain: the port speaks https and wss; read again on SIGHUP",
      form: "path of a PEM file", \.tls.certificateFile),
    .text("tls-key", "the key of tls-cert, without a password", form: "path of a PEM file", \.tls.keyFile),
    .text(
      "redis-ca-file", "whose certificates are believed of a rediss:// server; empty: whom the machine trusts",
      form: "path of a PEM file", \.redisTLS.authorityFile),
    .text(
      "redis-cert-file", "certificate shown to a rediss:// server that asks for one", form: "path of a PEM file",
      \.redisTLS.own.certificateFile),
    .text("redis-key-file", "the key of redis-cert-file", form: "path of a PEM file", \.redisTLS.own.keyFile),
  ]
}
