import Glibc
import Platform
import Simulation
import Testing

struct SimulatedDiskTests {
    static let seeds: Range<UInt64> = 0..<300

    /// What 300 power failures leave of a disk, by what a look at each finds.
    private func outcomes<Found: Hashable>(
        _ disk: SimulatedDisk, _ look: (SimulatedDisk) -> Found
    ) -> Set<Found> {
        Set(Self.seeds.map { look(disk.afterCrash(seed: $0)) })
    }

    @Test func whatIsSyncedSurvivesEveryPowerFailure() throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/d")
        try disk.syncDirectory("/")
        try disk.put("/d/f", [1, 2, 3])
        try disk.syncDirectory("/d")
        #expect(outcomes(disk) { $0.contents("/d/f") } == [[1, 2, 3]])
    }

    @Test func nameThatIsNotSyncedIsKeptOrLost() throws {
        let disk = SimulatedDisk()
        try disk.put("/f", [1, 2, 3])
        #expect(outcomes(disk) { $0.contents("/f") } == [[1, 2, 3], nil])
    }

    @Test func dataThatIsNotSyncedIsKeptDroppedTornOrZero() throws {
        let disk = SimulatedDisk()
        let data = [UInt8](repeating: 7, count: 1500)
        let file = try disk.create("/f")
        try disk.syncDirectory("/")
        try data.withUnsafeBytes { try file.write($0) }
        let zeros = [UInt8](repeating: 0, count: 1500)
        let torn = [512, 1024].flatMap { cut in
            [Array(data[..<cut]), Array(zeros[..<cut] + data[cut...])]
        }
        #expect(outcomes(disk) { $0.contents("/f") } == Set([data, [], zeros] + torn))
    }

    @Test func syncedBeginningOfAFileIsNeverTouched() throws {
        let disk = SimulatedDisk()
        let file = try disk.create("/f")
        try disk.syncDirectory("/")
        try [UInt8](repeating: 7, count: 700).withUnsafeBytes { try file.write($0) }
        try file.sync()
        for _ in 0..<3 {
            try [UInt8](repeating: 8, count: 700).withUnsafeBytes { try file.write($0) }
        }
        let found = outcomes(disk) { $0.contents("/f") ?? [] }
        #expect(found.allSatisfy { $0.starts(with: [UInt8](repeating: 7, count: 700)) })
        #expect(found.allSatisfy { $0.dropFirst(700).allSatisfy { [0, 8].contains($0) } })
        #expect(found.count > 20)
    }

    @Test func moveIsAtomicAndReplacesOldByNewAsAWhole() throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/a")
        try disk.makeDirectory("/b")
        try disk.syncDirectory("/")
        try disk.put("/b/f", [1])
        try disk.syncDirectory("/b")
        try disk.put("/a/new", [2])
        try disk.syncDirectory("/a")
        try disk.rename("/a/new", to: "/b/f")
        let found = outcomes(disk) { [$0.contents("/a/new"), $0.contents("/b/f")] }
        #expect(found == [[[2], [1]], [nil, [2]]])
        try disk.syncDirectory("/b")
        #expect(outcomes(disk) { [$0.contents("/a/new"), $0.contents("/b/f")] } == [[nil, [2]]])
    }

    @Test func removalThatIsNotSyncedMayComeBack() throws {
        let disk = SimulatedDisk()
        try disk.put("/f", [1])
        try disk.syncDirectory("/")
        try disk.remove("/f")
        #expect(outcomes(disk) { $0.contents("/f") } == [nil, [1]])
        try disk.syncDirectory("/")
        #expect(outcomes(disk) { $0.contents("/f") } == [nil])
    }

    @Test func stepsOnOneNameSurviveInTheirOrder() throws {
        let disk = SimulatedDisk()
        try disk.put("/f", [1])
        try disk.remove("/f")
        try disk.put("/f", [2])
        #expect(outcomes(disk) { $0.contents("/f") } == [nil, [1], [2]])
    }

    @Test func namesOfDifferentFilesAreLostIndependently() throws {
        let disk = SimulatedDisk()
        for name in ["a", "b", "c"] { try disk.put(FilePath("/" + name), [1]) }
        #expect(outcomes(disk) { $0.files }.count == 8)
    }

    @Test func syncedNamesOfALostDirectoryAreLostWithIt() throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/d")
        try disk.put("/d/f", [1])
        try disk.syncDirectory("/d")
        let found = outcomes(disk) { [$0.contents("/d/f")] }
        #expect(found == [[nil], [[1]]])
    }

    @Test func moveOutOfADirectoryThatIsNotSyncedIsMadeDurableByItsTarget() throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/a")
        try disk.makeDirectory("/b")
        try disk.syncDirectory("/")
        try disk.put("/a/part", [1])
        try disk.rename("/a/part", to: "/b/whole")
        try disk.syncDirectory("/b")
        #expect(outcomes(disk) { $0.files } == [["/b/whole"]])
    }

    @Test func directoriesMovedIntoEachOtherAreNeverLost() throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/a")
        try disk.makeDirectory("/a/b")
        try disk.put("/a/b/f", [1])
        for directory in ["/", "/a", "/a/b"] as [FilePath] { try disk.syncDirectory(directory) }
        try disk.rename("/a/b", to: "/b")
        try disk.rename("/a", to: "/b/a")
        #expect(outcomes(disk) { $0.files } == [["/a/b/f"], ["/b/f"]])
    }

    @Test func seedMeansTheSameEachTime() throws {
        let disk = SimulatedDisk()
        for number in 0..<10 {
            let file = try disk.create(FilePath("/f\(number)"))
            try [UInt8](repeating: 1, count: 2000).withUnsafeBytes { try file.write($0) }
        }
        for seed in Self.seeds.prefix(50) {
            let first = disk.afterCrash(seed: seed)
            let second = disk.afterCrash(seed: seed)
            #expect(first.files == second.files)
            for path in first.files { #expect(first.contents(path) == second.contents(path)) }
        }
    }

    @Test func crashStopsEveryOperationAndKeepsWhatCameBefore() throws {
        let disk = SimulatedDisk()
        disk.crash(afterOperations: 4)
        try disk.put("/f", [1])
        let count = disk.operationCount
        try disk.syncDirectory("/")
        #expect(count == 3 && disk.operationCount == 4)
        let steps: [() throws -> Void] = [
            { try disk.put("/g", [1]) }, { _ = try disk.open("/f") }, { try disk.remove("/f") },
            { _ = try disk.entries(of: "/") }, { _ = try disk.entry(at: "/f") },
            { try disk.rename("/f", to: "/g") }, { try disk.syncDirectory("/") },
        ]
        for step in steps { #expect(try errno(of: step) == .inputOutput) }
        #expect(disk.operationCount == 4)
        #expect(outcomes(disk) { $0.files } == [["/f"]])
        #expect(try disk.afterCrash(seed: 1).get("/f") == [1])
    }

    @Test func orderedFailureComesOnceAndChangesNothing() throws {
        let disk = SimulatedDisk()
        disk.failing(atOperation: 1, errno: .noSpace)
        #expect(try errno { try disk.put("/f", [1]) } == .noSpace)
        #expect(disk.files.isEmpty)
        try disk.put("/f", [1])
    }

    @Test func failedWriteMayHavePutDownItsFirstHalf() throws {
        let disk = SimulatedDisk()
        disk.failing(atOperation: 2, errno: .noSpace)
        #expect(try errno { try disk.put("/f", [1, 2, 3, 4]) } == .noSpace)
        #expect(disk.contents("/f") == [1, 2])
    }

    @Test func failedSyncNeverSucceedsLater() throws {
        let disk = SimulatedDisk()
        disk.failing(atOperation: 3, errno: .inputOutput)
        let file = try disk.create("/f")
        try [UInt8]([1]).withUnsafeBytes { try file.write($0) }
        #expect(try errno { try file.sync() } == .inputOutput)
        #expect(try errno { try file.sync() } == .inputOutput)
        try disk.syncDirectory("/")
        #expect(outcomes(disk) { $0.contents("/f") }.count > 1)
    }

    @Test func contentsAreSetAndRotFromOutside() throws {
        let disk = SimulatedDisk()
        try disk.setContents("/f", [1, 2])
        #expect(outcomes(disk) { $0.contents("/f") } == [[1, 2]])
        try disk.corrupt("/f", byteAt: 1, xor: 0x80)
        #expect(try disk.get("/f") == [1, 0x82])
        #expect(try errno { try disk.corrupt("/f", byteAt: 2, xor: 1) } == .invalidArgument)
        #expect(disk.operationCount == 0)
    }

    @Test func simulatedClockMovesByWordOnly() {
        let clock = SimulatedClock()
        let (now, boot) = (clock.now(), clock.bootTime())
        clock.sleep(nanoseconds: 5_000_000_000)
        #expect(clock.now() == now.adding(nanoseconds: 5_000_000_000))
        #expect(clock.bootTime() == boot + 5_000_000_000)
        clock.set(now: Timestamp(seconds: 1, nanoseconds: 0))
        #expect(clock.now().seconds == 1 && clock.bootTime() == boot + 5_000_000_000)
    }

    /// The first outputs of the published algorithm for the seed 1234567.
    @Test func seededRandomnessIsSplitMix64() {
        let chance = SeededRandomness(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        ]
        #expect((0..<3).map { _ in chance.next() } == expected)
        let first = SeededRandomness(seed: 9).bytes(20)
        #expect(first == SeededRandomness(seed: 9).bytes(20))
        #expect(first != SeededRandomness(seed: 10).bytes(20))
    }
}
