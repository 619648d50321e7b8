import Codec
import Platform
import Repository
import Simulation
import Testing

@testable import Timeline

@Suite struct HistoryTests {
    /// A base and nine commits, one each ten seconds, three a segment.
    private static func plain() throws -> SyntheticStream {
        let stream = try SyntheticStream()
        for number in 1...10 {
            try stream.add(
                number == 1 ? .base : .commit, "1/\(number)", seen: Double(number) * 10)
            if number % 3 == 0 { try stream.seal() }
        }
        try stream.seal()
        return stream
    }

    @Test(arguments: [
        (10.0, "1/1 then 1/2"), (19.9, "1/1 then 1/2"), (20, "1/2 then 1/3"),
        (35, "1/3 then 1/4"), (40, "1/4 then 1/5"), (99.5, "1/9 then 1/10"),
        (100, "1/10 then none"), (101, "afterHistory 1/10 none"), (9, "beforeHistory none 1/1"),
        (100_001, "future 1/10 none"),
    ])
    func aMomentIsAnsweredByTheLastCommitSeenByThen(_ moment: Double, _ expected: String) throws {
        #expect(try Self.plain().answer(moment) == expected)
    }

    @Test func behindTheNewestCommitAMomentIsCertainAsFarAsSomebodyVouches() throws {
        let stream = try Self.plain()
        #expect(try stream.answer(500, knownUntil: 500) == "1/10 then none")
        #expect(try stream.answer(500.1, knownUntil: 500) == "afterHistory 1/10 none")
        #expect(try stream.answer(100, knownUntil: 20) == "1/10 then none")
    }

    @Test func aMomentInAGapIsAnsweredByBothNeighbours() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10)
        try stream.add(.commit, "1/2", seen: 20)
        try stream.seal()
        try stream.add(.gap, "1/3", seen: 50, notBefore: 30)
        try stream.add(.commit, "1/4", seen: 50.2, notBefore: 30)
        try stream.add(.commit, "1/5", seen: 60)
        try stream.seal()
        #expect(try stream.answer(25) == "1/2 then 1/4")
        #expect(try stream.answer(30) == "1/2 then 1/4")
        #expect(try stream.answer(31) == "gap 1/2 1/4")
        #expect(try stream.answer(50.1) == "gap 1/2 1/4")
        #expect(try stream.answer(50.2) == "1/4 then 1/5")
        #expect(try stream.answer(55) == "1/4 then 1/5")
    }

    @Test func aComparedStateMoreThanASecondAfterTheLookBeforeLeavesAMomentOpen() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10, notBefore: 10)
        try stream.add(.commit, "1/2", seen: 40, notBefore: 20)
        try stream.add(.commit, "1/3", seen: 41, notBefore: 40.5)
        try stream.seal()
        #expect(try stream.answer(20) == "1/1 then 1/2")
        #expect(try stream.answer(20.5) == "unseen 1/1 1/2")
        #expect(try stream.answer(39.9) == "unseen 1/1 1/2")
        #expect(try stream.answer(40) == "1/2 then 1/3")
        #expect(try stream.answer(40.7) == "1/2 then 1/3")
        #expect(try stream.answer(41) == "1/3 then none")
        #expect(try stream.answer(60) == "afterHistory 1/3 none")
        #expect(try stream.answer(60, knownUntil: 70) == "1/3 then none")
        #expect(try stream.answer(71, knownUntil: 70) == "afterHistory 1/3 none")
    }

    @Test func commitsFoundLaterInALogThatNobodyWatchedLeaveAMomentOpen() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10)
        try stream.add(.commit, "1/2", seen: 20, notBefore: 19.9, isCompared: false)
        try stream.add(.commit, "1/3", seen: 50, notBefore: 19.9, isCompared: false)
        try stream.add(.commit, "1/4", seen: 50, notBefore: 19.9, isCompared: false)
        try stream.add(.commit, "1/5", seen: 50.1, notBefore: 50, isCompared: false)
        try stream.seal()
        #expect(try stream.answer(19.95) == "1/1 then 1/2")
        #expect(try stream.answer(20) == "1/2 then 1/3")
        #expect(try stream.answer(20.1) == "unseen 1/2 1/3")
        #expect(try stream.answer(49.9) == "unseen 1/2 1/3")
        #expect(try stream.answer(50) == "1/4 then 1/5")
        #expect(try stream.answer(50.05) == "1/4 then 1/5")
    }

    @Test func aMomentThatAClockSetBackShowedTwiceIsAnsweredByBoth() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10, boot: 10)
        try stream.add(.commit, "1/2", seen: 20, boot: 20)
        try stream.add(.commit, "1/3", seen: 30, boot: 30)
        // A quarter of a second later the clock is set back by twenty seconds.
        try stream.add(.commit, "1/4", seen: 10.5, boot: 30.5)
        try stream.add(.commit, "1/5", seen: 25, boot: 45)
        try stream.add(.commit, "1/6", seen: 50, boot: 70)
        try stream.seal()
        #expect(try stream.answer(9) == "beforeHistory none 1/1")
        #expect(try stream.answer(12) == "several 1/1 1/4")
        #expect(try stream.answer(26) == "several 1/2 1/5")
        #expect(try stream.answer(30.2) == "several 1/3 1/5")
        #expect(try stream.answer(31) == "1/5 then 1/6")
        #expect(try stream.answer(60) == "afterHistory 1/6 none")
    }

    @Test func aClockSetBackBetweenSegmentsIsSeen() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10, boot: 10)
        try stream.add(.commit, "1/2", seen: 30, boot: 30)
        try stream.seal()
        try stream.add(.commit, "1/3", seen: 20, boot: 31)
        try stream.add(.commit, "1/4", seen: 40, boot: 51)
        try stream.seal()
        #expect(try stream.answer(25) == "several 1/1 1/3")
        #expect(try stream.answer(15) == "1/1 then 1/2")
        #expect(try stream.answer(35) == "1/3 then 1/4")
    }

    @Test func aClockSetBackByARebootLeavesOpenWhatItDidNotPassAgain() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 1000, boot: 10)
        try stream.add(.commit, "1/2", seen: 5, boot: 3, bootID: 2)
        try stream.add(.commit, "1/3", seen: 1200, boot: 30, bootID: 2)
        try stream.seal()
        #expect(try stream.answer(1100) == "several 1/1 1/2")
        #expect(try stream.answer(500) == "1/2 then 1/3")
        #expect(try stream.answer(1300, knownUntil: 1300) == "1/3 then none")
    }

    @Test func theOldEpochAnswersUntilTheDatabaseWentBack() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10)
        try stream.add(.commit, "1/2", seen: 20)
        try stream.add(.commit, "1/3", seen: 30)
        try stream.add(.commit, "1/4", seen: 40)
        try stream.seal()
        try stream.add(.epoch, "2/3", seen: 60, after: "1/2", cause: .wentBack)
        try stream.add(.commit, "2/4", seen: 70)
        try stream.seal()
        #expect(try stream.answer(25) == "1/2 then 1/3")
        #expect(try stream.answer(50) == "1/4 then 2/4")
        #expect(try stream.answer(65) == "2/3 then 2/4")
        #expect(try stream.answer(75, knownUntil: 80) == "2/4 then none")
        #expect(try stream.answer(50, branch: "2") == "1/2 then 2/4")
    }

    @Test func whatAPromotionFencedIsReachedAsABranchOnly() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10)
        try stream.add(.commit, "1/2", seen: 20)
        try stream.add(.commit, "1/3", seen: 30)
        try stream.seal()
        try stream.add(.epoch, "2/3", seen: 50, after: "1/2", cause: .promoted)
        try stream.add(.commit, "2/4", seen: 60)
        try stream.seal()
        #expect(try stream.answer(40) == "1/2 then 2/4")
        #expect(try stream.answer(30, branch: "1") == "1/3 then none")
        #expect(try stream.answer(40, branch: "1") == "afterHistory 1/3 none")
        let branches = try History(of: stream.stream()).branches
        #expect(branches.map(\.name) == ["1", "2"])
        #expect(branches.map(\.fence) == [2, nil])
        #expect(branches.map(\.begin?.record.cause) == [nil, .promoted])
        let fenced = try stream.stream().records(at: SyntheticStream.position("1/3"))
        #expect(fenced.count == 1)
    }

    @Test func twoLinesOfOneEpochAreTwoBranches() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10)
        try stream.add(.commit, "1/2", seen: 20)
        try stream.seal()
        try stream.add(.commit, "1/3", seen: 30)
        try stream.seal()
        try stream.add(.commit, "1/3", seen: 31, after: "1/2")
        try stream.add(.commit, "1/4", seen: 40)
        try stream.seal()
        let branches = try History(of: stream.stream()).branches
        #expect(branches.count == 2)
        #expect(branches.first?.name == "1")
        #expect(try stream.answer(35) == "1/3 then 1/4")
        let other = try #require(branches.last)
        #expect(other.name == "1-" + other.tip.chain.hex.prefix(8))
        #expect(try stream.answer(30, branch: other.name) == "1/3 then none")
        #expect(try stream.stream().records(at: SyntheticStream.position("1/3")).count == 2)
    }

    @Test func aSegmentThatIsGoneLeavesItsTimeOpenAndTheRestReachable() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10)
        try stream.add(.commit, "1/2", seen: 20)
        try stream.seal()
        try stream.add(.commit, "1/3", seen: 30)
        let lost = try stream.seal()
        try stream.add(.base, "1/4", seen: 40)
        try stream.seal()
        #expect(try stream.answer(35) == "1/3 then 1/4")
        stream.place.tamper(lost, nil)
        #expect(try stream.answer(15) == "1/1 then 1/2")
        #expect(try stream.answer(35) == "missing 1/2 1/4")
        #expect(try stream.answer(40) == "1/4 then none")
    }

    @Test func aSegmentSealedTwiceCountsOnce() throws {
        let stream = try SyntheticStream()
        try stream.add(.base, "1/1", seen: 10)
        try stream.add(.commit, "1/2", seen: 20)
        try stream.seal(keepingDraft: true)
        try stream.add(.commit, "1/3", seen: 30)
        try stream.seal()
        let history = try History(of: stream.stream())
        #expect(history.branches.count == 1)
        #expect(history.runs.reduce(0) { $0 + $1.range.count } == 3)
        #expect(try stream.answer(25) == "1/2 then 1/3")
    }

    @Test func aPathLeadsToTheNearestBaseThroughAllSegments() throws {
        let stream = try Self.plain().stream()
        let end = try #require(stream.end)
        #expect(end.position == Position(epoch: 1, sequence: 10))
        let path = try stream.path(to: end)
        #expect(path.count == 10)
        #expect(path.segments.count == 4)
        #expect(path.first?.record.kind == .base)
        var positions: [UInt64] = []
        try path.forEach { positions.append($0.position.sequence) }
        #expect(positions == Array(1...10))
    }

    @Test func aListingGoesFromTheNewestToTheOldestWithinItsBounds() throws {
        let history = try History(of: Self.plain().stream())
        var positions: [UInt64] = []
        try history.forEachNewestFirst(
            from: SyntheticStream.time(30), to: SyntheticStream.time(75)
        ) { handle, _ in
            positions.append(handle.position.sequence)
            return positions.count < 4
        }
        #expect(positions == [7, 6, 5, 4])
    }
}
