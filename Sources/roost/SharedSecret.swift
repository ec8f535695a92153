import RoostServer

/// The tokens' secret as commands other than `serve` get it: by the same rules and in the same places.
enum SharedSecret {
  /// `nil` when none is given. Problems are told apart from absence.
  static func read(file: String?) -> (secret: [UInt8]?, problems: [String]) {
    let (source, problems) = Self.source(file: file)
    return (source?.bytes, problems)
  }

  /// The first secret, with its `kid` and algorithm.
  static func source(file: String?) -> (source: KeySource?, problems: [String]) {
    let reader = ConfigurationReader(
      arguments: file.map { ["--secret-file", $0] } ?? [],
      environment: Console.environment.filter { $0.key.hasPrefix("ROOST_SECRET") }, readFile: Console.readFile)
    if reader.configuration.secret.isEmpty && file == nil && !isNamed { return (nil, []) }
    return (reader.problems.isEmpty ? reader.configuration.keys.first : nil, reader.problems)
  }

  private static var isNamed: Bool { Console.environment["ROOST_SECRET_FILE"]?.isEmpty == false }
}
