import Platform
import Repository
import Simulation
import Testing

/// What a place still holds after a power failure.
@Suite struct PlaceCrashTests {
    private static let seeds = UInt64(1)...UInt64(TestShare.count(share: 30, whole: 300))

    private static func pack(_ number: Int) -> ObjectName {
        let digits = "\(number)"
        return ObjectName(.packs, String(repeating: "0", count: 64 - digits.count) + digits)
    }

    @Test(arguments: PlaceKind.allCases)
    func settledNamesSurviveAndOthersAreWholeOrNotThere(_ kind: PlaceKind) throws {
        for seed in Self.seeds {
            let test = try PlaceUnderTest(kind, seed: seed)
            let lease = try test.begin()
            for number in 0..<6 {
                let bytes = [UInt8](repeating: UInt8(number + 1), count: 700 * (number + 1))
                let staged = try test.stage(bytes, under: lease)
                try test.place.publish(staged, under: lease, as: Self.pack(number))
                if number == 3 { try test.place.settle(.packs) }
            }
            let found = test.afterCrash(seed: seed)
            for number in 0..<6 {
                let bytes = [UInt8](repeating: UInt8(number + 1), count: 700 * (number + 1))
                let contents = try found.contents(Self.pack(number))
                #expect(contents == bytes || (contents == nil && number > 3), "seed \(seed)")
            }
        }
    }

    @Test(arguments: PlaceKind.allCases)
    func whatCreateMadeSurvives(_ kind: PlaceKind) throws {
        for seed in Self.seeds {
            let test = try PlaceUnderTest(kind, seed: seed)
            try test.place.create(ObjectName(.keys, "key"), [1, 2, 3])
            try test.place.createConfig([4, 5])
            let found = test.afterCrash(seed: seed)
            #expect(try found.contents(ObjectName(.keys, "key")) == [1, 2, 3], "seed \(seed)")
            #expect(try found.readConfig() == [4, 5], "seed \(seed)")
            for folder in Folder.allCases { _ = try found.list(folder) }
            #expect(try found.leases().isEmpty, "seed \(seed)")
        }
    }

    @Test(arguments: PlaceKind.allCases)
    func whatWasRemovedStaysAway(_ kind: PlaceKind) throws {
        for seed in Self.seeds {
            let test = try PlaceUnderTest(kind, seed: seed)
            let lease = try test.begin()
            for number in 0..<3 {
                let staged = try test.stage([1], under: lease)
                try test.place.publish(staged, under: lease, as: Self.pack(number))
            }
            try test.place.settle(.packs)
            try test.place.remove([Self.pack(0), Self.pack(2), Self.pack(5)])
            #expect(try test.afterCrash(seed: seed).names(.packs) == [Self.pack(1).name])
        }
    }

    @Test(arguments: PlaceKind.allCases)
    func aRevokedLeaseStaysRevoked(_ kind: PlaceKind) throws {
        for seed in Self.seeds {
            let test = try PlaceUnderTest(kind, seed: seed)
            let lease = try test.begin()
            let staged = try test.stage([1], under: lease)
            try test.other.revoke(lease: lease)
            let found = test.afterCrash(seed: seed)
            #expect(try found.leases().isEmpty, "seed \(seed)")
            let failure = try code { try found.publish(staged, under: lease, as: Self.pack(1)) }
            #expect(failure == .revoked, "seed \(seed)")
        }
    }

    @Test(arguments: PlaceKind.allCases)
    func theHighestClaimSurvives(_ kind: PlaceKind) throws {
        for seed in Self.seeds {
            let test = try PlaceUnderTest(kind, seed: seed)
            let leases = try (0..<3).map { _ in try test.begin() }
            for (index, lease) in leases.enumerated() {
                try test.place.claim("s", number: UInt64(index + 1), under: lease)
            }
            let last = try test.afterCrash(seed: seed).claims(on: "s").last
            #expect(last?.number == 3 && last?.lease == leases[2], "seed \(seed)")
        }
    }

    @Test func whatInterruptedBeginsAndRevocationsLeaveIsSweptAway() throws {
        let root = FilePath("/r")
        let leases = Array("leases".utf8)
        for operations in 0..<20 {
            for seed in Self.seeds {
                let disk = SimulatedDisk()
                let place = DirectoryPlace(
                    at: root, on: disk, randomness: SeededRandomness(seed: seed))
                try place.prepare()
                disk.crash(afterOperations: disk.operationCount + operations)
                try? Self.beginAndRevoke(place, seed)
                let found = disk.afterCrash(seed: seed)
                let heir = DirectoryPlace(
                    at: root, on: found, randomness: SeededRandomness(seed: seed + 1))
                for lease in try heir.leases() { try heir.revoke(lease: lease) }
                try heir.sweepLeases()
                let left = found.files.filter { $0.components.contains(leases) }
                #expect(left.isEmpty, "\(operations), seed \(seed)")
                #expect(try found.entries(of: root.appending("leases")).isEmpty)
            }
        }
    }

    private static func beginAndRevoke(_ place: DirectoryPlace, _ seed: UInt64) throws {
        let lease = LeaseID.random(SeededRandomness(seed: seed + 50))
        try place.begin(lease: lease, [UInt8](repeating: 1, count: 900))
        let staged = try place.stage(under: lease)
        try [UInt8](repeating: 2, count: 900).withUnsafeBytes { try staged.file.write($0) }
        try place.renew(lease: lease, [UInt8](repeating: 3, count: 900))
        try place.revoke(lease: lease)
    }

    @Test func anInterruptedInitCanBeRunAgainAfterAPowerFailureAtAnyStep() throws {
        let root = FilePath("/srv/backup/repository")
        let whole = SimulatedDisk()
        try Self.make(at: root, on: whole, seed: 1)
        for operations in 0..<whole.operationCount {
            for seed in Self.seeds {
                let disk = SimulatedDisk()
                disk.crash(afterOperations: operations)
                #expect(throws: (any Error).self) { try Self.make(at: root, on: disk, seed: seed) }
                let found = disk.afterCrash(seed: seed)
                let place = DirectoryPlace(
                    at: root, on: found, randomness: SeededRandomness(seed: seed + 7))
                // Its last step may have come through.
                if try place.readConfig() == nil {
                    try Self.make(at: root, on: found, seed: seed + 8)
                }
                let cache = ScratchFolder()
                let world = World.simulated(SeededRandomness(seed: seed + 9))
                let repository = try TestRepository.open(place, cache: cache.path, world: world)
                #expect(
                    try repository.snapshots().readable.isEmpty, "\(operations), seed \(seed)")
            }
        }
    }

    private static func make(at root: FilePath, on disk: SimulatedDisk, seed: UInt64) throws {
        let randomness = SeededRandomness(seed: seed)
        try TestRepository.make(
            at: DirectoryPlace(at: root, on: disk, randomness: randomness),
            world: World.simulated(randomness))
    }

    @Test(arguments: [Errno.noSpace, .inputOutput])
    func anInitThatFailsAtAnyStepCanBeRunAgain(_ errno: Errno) throws {
        let root = FilePath("/srv/backup/repository")
        let whole = SimulatedDisk()
        try Self.make(at: root, on: whole, seed: 1)
        for operation in 1...whole.operationCount {
            let disk = SimulatedDisk()
            disk.failing(atOperation: operation, errno: errno)
            #expect(throws: (any Error).self) { try Self.make(at: root, on: disk, seed: 2) }
            let place = DirectoryPlace(
                at: root, on: disk, randomness: SeededRandomness(seed: 3))
            if try place.readConfig() == nil { try Self.make(at: root, on: disk, seed: 4) }
            let cache = ScratchFolder()
            _ = try TestRepository.open(
                place, cache: cache.path, world: World.simulated(SeededRandomness(seed: 5)))
        }
    }
}
