/// What a value in JSON looks like, for the description of the API.
indirect enum Schema: Sendable {
  /// One property of an object.
  struct Member: Sendable {
    let name: String
    let schema: Schema
    let isRequired: Bool
  }

  /// Characters; bytes are never more than four times as many.
  case text(_ length: ClosedRange<Int>? = nil, pattern: String? = nil)
  case word(_ words: [String])
  case integer(_ range: ClosedRange<Int>? = nil)
  case flag
  case anything
  case list(Schema)
  /// Nothing else may be in it.
  case object([Member])
  case either([Schema])
  /// One of ``OpenAPI/shared``.
  case named(String)

  var tree: JSONTree {
    switch self {
    case .text(let length, let pattern):
      var members: [(String, JSONTree)] = [("type", .text("string"))]
      if let length {
        members += [("minLength", .number(length.lowerBound)), ("maxLength", .number(length.upperBound))]
      }
      if let pattern { members.append(("pattern", .text(pattern))) }
      return .object(members)
    case .word(let words): return .object([("type", .text("string")), ("enum", .list(words.map { .text($0) }))])
    case .integer(let range):
      var members: [(String, JSONTree)] = [("type", .text("integer"))]
      if let range { members += [("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound))] }
      return .object(members)
    case .flag: return .object([("type", .text("boolean"))])
    case .anything: return .object([])
    case .list(let element): return .object([("type", .text("array")), ("items", element.tree)])
    case .object(let members): return Self.object(members)
    case .either(let schemas): return .object([("oneOf", .list(schemas.map(\.tree)))])
    case .named(let name): return .object([("$ref", .text("#/components/schemas/\(name)"))])
    }
  }

  private static func object(_ members: [Member]) -> JSONTree {
    var tree: [(String, JSONTree)] = [("type", .text("object"))]
    let required = members.filter(\.isRequired).map(\.name)
    if !required.isEmpty { tree.append(("required", .list(required.map { .text($0) }))) }
    if !members.isEmpty { tree.append(("properties", .object(members.map { ($0.name, $0.schema.tree) }))) }
    tree.append(("additionalProperties", .flag(false)))
    return .object(tree)
  }
}

extension Schema.Member {
  static func needed(_ name: String, _ schema: Schema) -> Self { Self(name: name, schema: schema, isRequired: true) }
  static func maybe(_ name: String, _ schema: Schema) -> Self { Self(name: name, schema: schema, isRequired: false) }
}
