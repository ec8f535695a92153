extension Setting {
  /// permessage-deflate (RFC 7692).
  static let compression: [Setting] = [
    Setting(
      "compression", "permessage-deflate for clients that offer it; costs CPU, saves bytes", form: "off | on"
    ) {
      $0.compression.isEnabled ? "on" : "off"
    } write: { text, configuration in
      configuration.compression.isEnabled = text == "on"
      return text == "on" || text == "off"
    },
    .size(
      "compression-threshold", "smaller messages are sent as they are", 1...16 << 20, \.compression.thresholdBytes),
    .number(
      "compression-level", "how hard the compressor tries: 1 is fast, 9 small", 1...9, "of zlib's levels",
      \.compression.level),
  ]
}
