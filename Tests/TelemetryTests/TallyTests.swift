import Telemetry
import Testing

struct TallyTests {
  private enum Reason: Int, CountedReason { case plain, twoWords, badUTF8 }

  @Test func `every reason is counted apart, and has a series from the start`() {
    let tally = Tally<Reason>()
    tally.count(.twoWords)
    tally.count(.twoWords)
    tally.count(.badUTF8)
    #expect(Reason.allCases.map { tally[$0] } == [0, 2, 1])
    #expect(tally.total == 3)
    #expect(tally.samples.map(\.labels) == [["plain"], ["two_words"], ["bad_utf8"]])
    #expect(tally.samples.map(\.value) == [.integer(0), .integer(2), .integer(1)])
  }
}
