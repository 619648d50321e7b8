import Platform
import Repository
import Simulation
import Synchronization
import Testing

/// What Places/Place.swift promises, of every kind of place.
@Suite struct PlaceConformanceTests {
    private static let pack = ObjectName(.packs, String(repeating: "a", count: 64))
    private static let other = ObjectName(.packs, String(repeating: "b", count: 64))

    // MARK: Files

    @Test(arguments: PlaceKind.allCases)
    func aStagedFileIsNotVisibleBeforeItIsPublishedAndThenWhole(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let lease = try test.begin()
        let staged = try test.stage([1, 2, 3], under: lease)
        #expect(try test.other.list(.packs).isEmpty)
        try test.place.publish(staged, under: lease, as: Self.pack)
        #expect(try test.other.list(.packs) == [StoredFile(name: Self.pack, size: 3)])
        #expect(try test.other.contents(Self.pack) == [1, 2, 3])
        #expect(try test.other.list(.segments).isEmpty)
    }

    @Test(arguments: PlaceKind.allCases)
    func aFileThatIsNotThereIsAbsent(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        #expect(try code { _ = try test.place.open(Self.pack) } == .absent)
    }

    @Test(arguments: PlaceKind.allCases)
    func aReaderReadsAtOffsetsAndNothingPastTheEnd(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let name = ObjectName(.keys, "k")
        try test.place.create(name, [1, 2, 3, 4])
        let reader = try test.other.open(name)
        var bytes = [UInt8](repeating: 9, count: 3)
        #expect(reader.size == 4)
        #expect(try bytes.withUnsafeMutableBytes { try reader.read(into: $0, at: 2) } == 2)
        #expect(bytes == [3, 4, 9])
        #expect(try bytes.withUnsafeMutableBytes { try reader.read(into: $0, at: 4) } == 0)
    }

    @Test(arguments: PlaceKind.allCases)
    func createNeverOverwrites(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let name = ObjectName(.keys, "one")
        try test.place.create(name, [1])
        #expect(try code { try test.other.create(name, [2]) } == .exists)
        #expect(try test.place.contents(name) == [1])
        #expect(try test.place.names(.keys) == ["one"])
    }

    @Test(arguments: PlaceKind.allCases)
    func aConfigIsMadeOnceAndThenThePlaceIsTaken(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        #expect(try test.place.readConfig() == nil)
        try test.place.createConfig([1])
        #expect(try code { try test.other.createConfig([2]) } == .exists)
        #expect(try test.other.readConfig() == [1])
        #expect(try code { try test.other.prepare() } == .exists)
    }

    @Test(arguments: PlaceKind.allCases)
    func aPlaceThatHoldsSealedFilesIsTakenAlsoWithoutConfig(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let lease = try test.begin()
        try test.place.publish(try test.stage([1], under: lease), under: lease, as: Self.pack)
        #expect(try code { try test.place.prepare() } == .exists)
    }

    @Test(arguments: PlaceKind.allCases)
    func preparingAgainAfterAnInterruptedInitStartsWithoutItsKeys(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        try test.place.create(ObjectName(.keys, "old"), [1])
        try test.place.prepare()
        #expect(try test.place.list(.keys).isEmpty)
    }

    @Test(arguments: PlaceKind.allCases)
    func whatIsRemovedIsGoneAndRemovingItAgainIsNoError(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let lease = try test.begin()
        for name in [Self.pack, Self.other] {
            try test.place.publish(try test.stage([1], under: lease), under: lease, as: name)
        }
        let mark = ObjectName(.marks, Self.pack.name)
        try test.place.create(mark, [2])
        try test.place.remove([Self.pack])
        #expect(try test.other.names(.packs) == [Self.other.name])
        #expect(try test.other.contents(mark) == [2])
        try test.other.remove([mark, Self.pack, Self.other])
        #expect(try test.place.names(.packs) == [])
        #expect(try test.place.names(.marks) == [])
        try test.place.remove([Self.pack])
        try test.place.remove([])
    }

    // MARK: Leases

    @Test(arguments: PlaceKind.allCases)
    func aLeaseShowsWhatItsHolderWroteLast(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let lease = try test.begin("one")
        #expect(try test.other.leases() == [lease])
        #expect(try test.other.read(lease: lease) == Array("one".utf8))
        try test.place.renew(lease: lease, Array("second".utf8))
        #expect(try test.other.read(lease: lease) == Array("second".utf8))
        try test.place.end(lease: lease)
        #expect(try test.other.leases().isEmpty)
        #expect(try test.other.read(lease: lease) == nil)
    }

    @Test(arguments: PlaceKind.allCases)
    func whatWasStagedGoesWithTheLease(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let lease = try test.begin()
        let staged = try test.stage([1], under: lease)
        try test.place.end(lease: lease)
        let failure = try code { try test.place.publish(staged, under: lease, as: Self.pack) }
        #expect(failure == .revoked)
        #expect(try test.other.list(.packs).isEmpty)
    }

    @Test(arguments: PlaceKind.allCases)
    func nothingHappensUnderARevokedLease(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let lease = try test.begin()
        let kept = try test.begin()
        let published = try test.stage([1], under: lease)
        try test.place.publish(published, under: lease, as: Self.pack)
        let staged = try test.stage([2], under: lease)
        let open = try test.place.stage(under: lease)
        try test.other.revoke(lease: lease)

        // Its holder slept meanwhile, and still has a file open.
        _ = try? [UInt8(3)].withUnsafeBytes { try open.file.write($0) }
        _ = try? open.file.sync()
        let place = test.place
        #expect(try code { try place.publish(staged, under: lease, as: Self.other) } == .revoked)
        #expect(try code { try place.publish(open.name, under: lease, as: Self.other) } == .revoked)
        #expect(try code { try place.renew(lease: lease, [9]) } == .revoked)
        #expect(try code { _ = try place.stage(under: lease) } == .revoked)
        #expect(try code { try place.claim("s", number: 1, under: lease) } == .revoked)
        #expect(try code { try place.end(lease: lease) } == .revoked)
        #expect(try place.names(.packs) == [Self.pack.name])
        #expect(try place.leases() == [kept])
        #expect(try place.claims(on: "s").isEmpty)
    }

    @Test(arguments: PlaceKind.allCases)
    func aLeaseCanBeRevokedTwice(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let lease = try test.begin()
        try test.place.revoke(lease: lease)
        try test.other.revoke(lease: lease)
        #expect(try test.place.leases().isEmpty)
    }

    @Test(arguments: PlaceKind.allCases)
    func sweepingSparesLivingLeases(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let lease = try test.begin()
        let staged = try test.stage([1], under: lease)
        try test.other.sweepLeases()
        #expect(try test.place.leases() == [lease])
        try test.place.publish(staged, under: lease, as: Self.pack)
        #expect(try test.other.contents(Self.pack) == [1])
    }

    // MARK: Claims

    @Test(arguments: PlaceKind.allCases)
    func claimsAreNumberedAndExclusive(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let (first, second) = (try test.begin(), try test.begin())
        #expect(try test.place.claims(on: "s").isEmpty)
        try test.place.claim("s", number: 1, under: first)
        #expect(try code { try test.other.claim("s", number: 1, under: second) } == .exists)
        #expect(try code { try test.place.claim("s", number: 1, under: first) } == .exists)
        try test.other.claim("s", number: 2, under: second)
        let last = try #require(try test.place.claims(on: "s").last)
        #expect(last.number == 2 && last.lease == second)
        try test.place.claim("t", number: 1, under: first)
        #expect(try test.place.claims(on: "t").map(\.number) == [1])
    }

    @Test(arguments: PlaceKind.allCases)
    func aClaimThatIsGivenUpIsNobodys(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let (first, second) = (try test.begin(), try test.begin())
        try test.place.claim("s", number: 1, under: first)
        try test.place.giveUpClaim("s", number: 1)
        let last = try #require(try test.other.claims(on: "s").last)
        #expect(try test.other.read(lease: last.lease) == nil)
        try test.other.claim("s", number: last.number + 1, under: second)
        #expect(try code { try test.place.giveUpClaim("s", number: 1) } == .exists)
        #expect(try test.place.claims(on: "s").last?.lease == second)
    }

    @Test(arguments: PlaceKind.allCases)
    func aNumberBelowTheHighestCannotBeClaimed(_ kind: PlaceKind) throws {
        // Who read the claims, slept while others came and went, and goes on, is too late.
        let test = try PlaceUnderTest(kind)
        let leases = try (0..<3).map { _ in try test.begin() }
        try test.place.claim("s", number: 1, under: leases[0])
        try test.place.claim("s", number: 2, under: leases[1])
        try test.place.claim("s", number: 3, under: leases[2])
        #expect(try code { try test.other.claim("s", number: 2, under: leases[0]) } == .exists)
        #expect(try test.place.claims(on: "s").last?.lease == leases[2])
        try test.place.claim("s", number: 4, under: leases[0])
        #expect(try test.place.claims(on: "s").last?.number == 4)
    }

    @Test(arguments: PlaceKind.allCases)
    func ofManyWhoClaimANumberAtOnceOneHasIt(_ kind: PlaceKind) throws {
        let test = try PlaceUnderTest(kind)
        let winners = Mutex<[UInt64: [LeaseID]]>([:])
        let leases = try (0..<4).map { _ in try test.begin() }
        let place = test.other
        let threads = leases.map { lease in
            WorkerThread(name: "claimer") {
                for number in UInt64(1)...25 {
                    let failure = try? code {
                        try place.claim("s", number: number, under: lease)
                    }
                    if failure == .some(nil) {
                        winners.withLock { $0[number, default: []].append(lease) }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        let found = winners.withLock { $0 }
        #expect(found.values.allSatisfy { $0.count == 1 })
        #expect(try place.claims(on: "s").last?.number == 25)
        #expect(try place.claims(on: "s").last?.lease == found[25]?.first)
    }

    // MARK: No permission

    @Test func aPlaceInMemoryThatIsReadOnlySaysSo() throws {
        let place = MemoryPlace()
        let lease = LeaseID.random(SystemRandomness())
        place.makeReadOnly()
        #expect(try code { try place.begin(lease: lease, []) } == .readOnly)
        #expect(try code { try place.create(Self.pack, []) } == .readOnly)
    }

    @Test(arguments: [Errno.readOnlyFileSystem, .permissionDenied, .notPermitted])
    func aDirectoryThatTakesNoWritesSaysSo(_ errno: Errno) throws {
        for (name, step) in Self.writes {
            let disk = SimulatedDisk()
            let place = DirectoryPlace(
                at: FilePath("/r"), on: disk, randomness: SeededRandomness(seed: 1))
            if name != "prepare" { try place.prepare() }
            let lease = LeaseID.random(SeededRandomness(seed: 2))
            let staged = name == "prepare" ? "" : try Self.staged(in: place, under: lease)
            disk.failing(atOperation: disk.operationCount + 1, errno: errno)
            #expect(try code { try step(place, lease, staged) } == .readOnly, "\(name)")
        }
    }

    private static func staged(in place: any Place, under lease: LeaseID) throws -> String {
        try place.begin(lease: lease, [1])
        let staged = try place.stage(under: lease)
        try staged.file.sync()
        return staged.name
    }

    private typealias Write = @Sendable (any Place, LeaseID, String) throws -> Void

    private static var writes: [(name: String, step: Write)] {
        [
            ("prepare", { place, _, _ in try place.prepare() }),
            ("create", { place, _, _ in try place.create(ObjectName(.keys, "k"), [1]) }),
            ("remove", { place, _, _ in try place.remove([pack]) }),
            ("createConfig", { place, _, _ in try place.createConfig([1]) }),
            (
                "begin",
                { place, _, _ in
                    try place.begin(lease: LeaseID.random(SeededRandomness(seed: 9)), [1])
                }
            ),
            ("renew", { place, lease, _ in try place.renew(lease: lease, [1]) }),
            ("stage", { place, lease, _ in _ = try place.stage(under: lease) }),
            ("publish", { place, lease, name in try place.publish(name, under: lease, as: pack) }),
            ("settle", { place, _, _ in try place.settle(.packs) }),
            ("claim", { place, lease, _ in try place.claim("s", number: 1, under: lease) }),
            ("end", { place, lease, _ in try place.end(lease: lease) }),
            ("revoke", { place, lease, _ in try place.revoke(lease: lease) }),
        ]
    }
}
