import Codec
import Glibc
import Platform
import Repository
import Simulation
import Testing

@testable import Timeline

@Suite struct LongChainTests {
    @Test(arguments: [1 << 30, 20_000, 1])
    func aStateBehindManyCommitsComesBackInWindowsOfAnySize(_ budget: Int) throws {
        let chain = try LongChain(seed: 21, rows: 4000)
        try chain.commit(1500, perSegment: 170)
        let same = try chain.recovered(budget: budget) == chain.bytes
        #expect(same)
    }

    @Test func aPageThatChangesWithEachCommitNeedsItsLastVersionsOnly() throws {
        let chain = try LongChain(seed: 22, pageSize: 4096, rows: 3)
        try chain.commit(600, pages: 1)
        let recovery = try DatabaseRecovery(from: chain.repository)
        var cursor = try StateCursor(over: recovery.path(to: chain.reference), wantsBodies: true)
        let plan = try #require(try cursor.next())
        #expect(plan.chainLengths().allSatisfy { $0 <= PageCoder.chainLimit })
        #expect(plan.changes.count <= plan.pages.count * (PageCoder.chainLimit + 1))
        #expect(try chain.recovered(budget: 1 << 20) == chain.bytes)
    }

    @Test func eachOfManyCommitsIsReachedByItsPosition() throws {
        let chain = try LongChain(seed: 23, rows: 50)
        try chain.commit(300, perSegment: 40)
        let stream = try #require(
            try StreamIndex(of: chain.repository).streams[chain.identity.stream])
        for sequence in UInt64(1)...301 {
            let found = try stream.records(at: Position(epoch: 1, sequence: sequence))
            #expect(found.count == 1)
        }
        #expect(try stream.summaries().count == 9)
    }

    /// Leaves a repository for a measurement with the released binary; does nothing by itself.
    @Test(.enabled(if: getenv("HOLDFAST_LONG_CHAIN") != nil))
    func makesALongChainToMeasure() throws {
        let place = DirectoryPlace(
            at: FilePath(String(cString: getenv("HOLDFAST_LONG_CHAIN"))), on: LinuxDisk(),
            randomness: SystemRandomness())
        let chain = try LongChain(seed: 24, pageSize: 4096, rows: 320_000, at: place)
        try chain.commit(10_000)
    }
}
