import Platform
import Testing
import Timeline

@Suite struct TimeCheckTests {
    private static let day: Int64 = 86_400
    private static let now = Timestamp(seconds: 1000 * day, nanoseconds: 0)

    /// A moment so many days in, of a boot, with so many days since that boot.
    private func moment(_ wall: Int64, boot: UInt8 = 1, since: Int64? = nil) -> DatedMoment {
        DatedMoment(
            wall: Timestamp(seconds: wall * Self.day, nanoseconds: 0),
            boot: since.map { UInt64($0 * Self.day) * 1_000_000_000 },
            bootID: since == nil ? [] : [UInt8](repeating: boot, count: 16))
    }

    private func isDoubted(_ moments: DatedMoment...) -> Bool {
        TimeCheck.doubt(moments, now: Self.now) != nil
    }

    @Test func timesThatTheClockSinceBootBearsOutAreBelieved() {
        #expect(!isDoubted())
        #expect(!isDoubted(moment(900, since: 3)))
        #expect(!isDoubted(moment(100, since: 0), moment(900, since: 800)))
        #expect(!isDoubted(moment(100, since: 5), moment(101, since: 5)))
    }

    @Test func aJumpWithinABootIsFoundAlsoWhenOthersFollowed() {
        #expect(isDoubted(moment(100, since: 5), moment(102, since: 5)))
        #expect(
            isDoubted(
                moment(100, since: 5), moment(500, since: 6), moment(501, since: 7),
                moment(502, since: 8)))
        #expect(isDoubted(moment(100, since: 5), moment(102, since: 3)))
    }

    @Test func aBootThatBeginsTooLateIsDoubtedAlsoDaysAfterwards() {
        #expect(!isDoubted(moment(100, since: 5), moment(130, boot: 2, since: 0)))
        #expect(isDoubted(moment(100, since: 5), moment(132, boot: 2, since: 0)))
        #expect(
            isDoubted(
                moment(100, since: 5), moment(500, boot: 2, since: 0),
                moment(501, boot: 2, since: 1)))
        // An older gap is what retention leaves.
        #expect(
            !isDoubted(
                moment(100, since: 5), moment(500, boot: 2, since: 0),
                moment(501, boot: 3, since: 0)))
    }

    @Test func whatIsNotDatedByBootIsJudgedByItsGap() {
        #expect(!isDoubted(moment(100), moment(130)))
        #expect(isDoubted(moment(100), moment(132)))
    }

    @Test func nothingMayLieInTheFuture() {
        #expect(!isDoubted(moment(1001)))
        #expect(isDoubted(moment(1002)))
    }
}
