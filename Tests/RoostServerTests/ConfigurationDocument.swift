@testable import RoostServer

/// `docs/CONFIGURATION.md`, as the settings make it.
enum ConfigurationDocument {
  static var text: String {
    ([introduction] + SettingGroup.all.map(section) + [secrets, rules]).joined(separator: "\n\n") + "\n"
  }

  private static let introduction = """
    # Configuration

    Every setting of `roost serve`. This page is made from the code: change it there, then
    `ROOST_WRITE_CONFIGURATION=1 swift test --filter ConfigurationDocumentTests`.

    A setting is a flag, `--redis-url URL` or `--redis-url=URL`, and an environment variable, `ROOST_REDIS_URL`. Flags
    win. Switches (`true | false`) may stand alone: `--echo`. Sizes take `k`, `m` and `g` for powers of 1,024. An empty
    value is written `--origins=`.

    ```
    roost serve --check --secret-file secret    # what holds, secrets hidden, and everything that is wrong with it
    roost serve --help                          # this page, for a terminal
    ```

    A node that does not understand a setting does not start, and says all that is wrong at once. A variable that begins
    with `ROOST_` and is no setting is only remarked on. Settings are read when the node starts; which files `SIGHUP`
    makes it read again is in [TOKENS.md](TOKENS.md#changing-a-key) and [TLS.md](TLS.md#renewing-a-certificate).
    `roost cluster` hands the environment's settings on to its nodes, and all flags that stand behind `--`.

    "Over it" says what happens at the limit. [PROTOCOL.md](PROTOCOL.md#limits) has the same limits as clients see them.
    """

  private static func section(_ group: SettingGroup) -> String {
    let plain = ServerConfiguration()
    let rows = group.settings.map { setting in
      let value = setting.value(in: plain)
      return "| `--\(setting.name)`<br>`\(setting.variable)` | \(value.isEmpty ? "" : "`\(value)`") "
        + "| \(form(setting)) | \(cell(setting.meaning)) |"
    }
    let head = "| Setting | Default | May be | Means |\n|---|---|---|---|\n"
    return "## \(group.title)\n\n" + head + rows.joined(separator: "\n")
  }

  private static var secrets: String {
    let rows = SecretSetting.all.map { secret in
      "| `--\(secret.fileFlag)`<br>`\(secret.fileVariable)` | `\(secret.variable)` | \(cell(secret.meaning)) |"
    }
    return """
      ## Secrets

      Every user of a machine can read its command lines, so a secret is never a flag: it stands in a file, or in the
      environment. Where both are given, the file counts; a flag's file before a variable's. Line ends at the end of a
      file are no part of it. A file that others than its owner can read is warned of, where the owner is not the node
      itself others than its group; and a password in `--redis-url` or another address is refused on the command line.

      | File | Or in the environment | Holds |
      |---|---|---|
      \(rows.joined(separator: "\n"))

      `--secret-file` takes several files between commas, each as `[kid=][ALGORITHM:]path`: see
      [TOKENS.md](TOKENS.md#keys).
      """
  }

  private static let rules = """
    ## What has to fit together

    A node does not start when one of these does not hold; `--check` names all of them.

    * There is a key for tokens: `--secret-file`, `--public-key-file`, `--jwks-file` or `--jwks-url`. A secret has at
      least 32 bytes.
    * `--tls-cert` and `--tls-key` come together; so do `--redis-cert-file` and `--redis-key-file`, which like
      `--redis-ca-file` are for `rediss://` only.
    * `--redis-password-file` needs a `--redis-url`.
    * `--proxy-protocol on` needs `--trusted-proxies`.
    * `--admin-port` is not the main port.
    * `--ping-period` is shorter than `--pong-wait`.
    * `--drain-wait`, `--drain-window`, `--close-time` and 2 s together are not longer than `--drain-deadline`.
    * `--queue-size` holds at least one message of `--message-size`.
    * `--bytes-per-second` is 0 or at least 16k.
    * `--origins` are origins as browsers send them: `https://chat.example.com`, in small letters, without a path and
      without the scheme's own port; or a lone `*`.
    * `--node-id` has at most 64 of `a-z A-Z 0-9 . _ -`; `--redis-prefix` has 1 to 64 printable characters and no `{`.

    These are allowed, and the node warns of them when it starts (`insecure setting`): `--require-expiry false`,
    `--origins '*'`, and `--jwks-url` without `--audience` or without an issuer.
    """

  /// Brackets would be a link.
  private static func form(_ setting: Setting) -> String {
    setting.form.contains("[") ? "`\(setting.form)`" : cell(setting.form)
  }

  /// A bar would end the cell.
  private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("*", with: "\\*") }
}
