import Testing

@testable import RoostServer

/// `docs/CONFIGURATION.md` and the settings are the same.
@Suite("Configuration: the document")
struct ConfigurationDocumentTests {
  /// After a change of a setting: `ROOST_WRITE_CONFIGURATION=1 swift test --filter ConfigurationDocumentTests`.
  @Test func `the document is what the settings make`() throws {
    try Documents.rewrite("CONFIGURATION.md", as: ConfigurationDocument.text, when: "ROOST_WRITE_CONFIGURATION")
    let (written, made) = (try Documents.text("CONFIGURATION.md"), ConfigurationDocument.text)
    let (old, new) = (written.split(separator: "\n"), made.split(separator: "\n"))
    for (place, line) in new.enumerated() where place >= old.count || old[place] != line {
      Issue.record("write the document anew; it differs first at: \(line)")
      return
    }
    #expect(written == made)
  }

  @Test func `a group has every setting, and no setting has two`() {
    let names = SettingGroup.all.flatMap(\.settings).map(\.name)
    #expect(names == Setting.all.map(\.name))
    #expect(Set(names).count == names.count)
    #expect(SettingGroup.all.allSatisfy { !$0.settings.isEmpty })
  }

  @Test func `what the document says of the settings' fitting together is so`() {
    let refused = [
      ["--tls-cert", "/no"], ["--tls-key", "/no"], ["--redis-ca-file", "/no"], ["--redis-password-file", "/p"],
      ["--proxy-protocol", "on"], ["--port", "8000", "--admin-port", "8000"], ["--ping-period", "60"],
      ["--drain-wait", "20"],
      ["--queue-size", "4096", "--message-size", "8k"], ["--bytes-per-second", "16383"],
      ["--origins", "https://chat.example.com/"], ["--node-id", "a b"], ["--redis-prefix", "a{b"],
      ["--secret-file", "/short"],
    ]
    #expect(problems([]).isEmpty)
    for flags in refused { #expect(!problems(flags).isEmpty, "\(flags)") }
  }

  private func problems(_ flags: [String]) -> [String] {
    let environment = flags.contains("--secret-file") ? [:] : ["ROOST_SECRET": String(repeating: "x", count: 32)]
    return ConfigurationReader(arguments: flags, environment: environment) { _ in Array("short".utf8) }.problems
  }
}
