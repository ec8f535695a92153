import Testing

@testable import RoostClient

@Suite("client: JSON") struct JSONTextTests {
  @Test func `values are found where they are`() throws {
    let json = try #require(
      JSONText(#" {"a":[1,{"b":"x\n\"\u00e9"},[],true],"n":-5,"d":1.50,"e":null,"a":"second"} "#))
    #expect(json["a"]?.elements.count == 4)
    #expect(json["a"]?.elements[1]["b"]?.string == "x\n\"é")
    #expect(json["a"]?.elements[2].elements == [])
    #expect(json["a"]?.elements[3].flag == true)
    #expect(json["n"]?.integer == -5)
    #expect(json["d"]?.description == "1.50" && json["d"]?.number == 1.5 && json["d"]?.integer == nil)
    #expect(json["e"]?.string == nil && json["e"]?.description == "null")
    #expect(json["x"] == nil && json["n"]?["x"] == nil && json["n"]?.elements == [])
    #expect(json.members.map(\.name) == ["a", "n", "d", "e", "a"])
  }

  @Test(arguments: ["", "{", "{}x", "[1,]", "nul", #"{"a":1,}"#, "\"\u{1}\"", "01", #"{a:1}"#])
  func `what is not JSON is none`(text: String) { #expect(JSONText(text) == nil) }

  @Test func `nesting has a bound`() {
    let deep = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(JSONText(deep(48)) != nil)
    #expect(JSONText(deep(49)) == nil)
  }

  @Test(arguments: ["", "plain", "a\"b\\c", "\u{0}\u{1f}\n\r\t", "é👩‍👩‍👧\u{2028}"])
  func `texts come back as they were`(text: String) throws {
    #expect(JSONText(string: text).string == text)
    let json = try #require(JSONText(JSONText(content: text).bytes))
    #expect(json["content"]?.string == text)
  }
}
