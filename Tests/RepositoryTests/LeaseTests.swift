import Codec
import Platform
import Repository
import Simulation
import Testing

@Suite struct LeaseTests {
    // MARK: Renewing

    /// A lease on a simulated disk.
    private struct Renewed {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let place: DirectoryPlace
        let lease: HeldLease

        init() throws {
            let world = World.simulated(SeededRandomness(seed: 1), clock: clock)
            place = DirectoryPlace(
                at: FilePath("/r"), on: disk, randomness: SeededRandomness(seed: 2))
            try place.prepare()
            lease = try HeldLease(on: place, purpose: "backup", world: world)
        }

        /// Makes the next renewal fail at one of its steps.
        func failNext(step: Int, _ errno: Errno) {
            disk.failing(atOperation: disk.operationCount + step, errno: errno)
        }

        var isKept: Bool {
            do {
                try lease.check()
                return true
            } catch {
                return false
            }
        }
    }

    @Test(arguments: [Errno.inputOutput, .noSpace])
    func aRenewalThatFailsForAWhileEndsNoBackup(_ errno: Errno) throws {
        let scene = try Renewed()
        for step in 1...4 {
            scene.failNext(step: step, errno)
            let pause = try #require(scene.lease.keepAlive())
            #expect(pause < 30_000_000_000)
            #expect(scene.isKept)
            scene.clock.advance(nanoseconds: pause)
            #expect(scene.lease.keepAlive() == 30_000_000_000)
        }
        // Nothing is left of those that failed.
        let folder = FilePath("/r/leases").appending(scene.lease.id.name)
        #expect(try scene.disk.entries(of: folder).map(\.name) == ["lease"])
    }

    @Test func renewalsAreTriedUntilTheLeaseIsAboutToCountAsDead() throws {
        let scene = try Renewed()
        let begun = scene.clock.bootTime()
        var wait: UInt64? = 30_000_000_000
        while let next = wait {
            #expect(scene.isKept)
            scene.clock.advance(nanoseconds: next)
            scene.failNext(step: 1, .inputOutput)
            wait = scene.lease.keepAlive()
        }
        #expect(!scene.isKept)
        let passed = scene.clock.bootTime() - begun
        #expect(passed < LeaseObserver.stillLimit)
        #expect(passed > LeaseObserver.stillLimit - 120_000_000_000)
    }

    @Test func aRevokedLeaseIsOverAtOnce() throws {
        let scene = try Renewed()
        try scene.place.revoke(lease: scene.lease.id)
        #expect(scene.lease.keepAlive() == nil)
        #expect(throws: RepositoryError.self) { try scene.lease.check() }
    }

    // MARK: Alive and dead

    private static func record(
        _ process: ProcessIdentity, host: String = "alpha", namespace: String = "pid:[1]",
        generation: UInt64 = 1
    ) -> LeaseRecord {
        LeaseRecord(
            generation: generation, purpose: "backup", host: host,
            taken: Timestamp(seconds: 1, nanoseconds: 0), process: process, namespace: namespace)
    }

    // MARK: Dead or alive

    @Test func aProcessOfThisBootIsLookedAt() throws {
        let scene = try RepositoryScene()
        let own = try ProcessIdentity.current()
        let observer = try scene.open(process: own).observer
        let lease = LeaseID("a")
        #expect(try observer.state(of: lease, Self.record(own)) == .alive)
        #expect(try observer.state(of: lease, Self.record(try .gone())) == .dead)
    }

    @Test func aProcessOfAnEarlierBootOfThisHostIsDead() throws {
        let scene = try RepositoryScene()
        let observer = try scene.open(process: .simulated(boot: 2)).observer
        let record = Self.record(.simulated(boot: 1))
        #expect(try observer.state(of: LeaseID("a"), record) == .dead)
    }

    @Test(arguments: ["another host", "another namespace", "a damaged lease"])
    func whereNobodyCanLookOnlyStandingStillProvesDeath(_ case: String) throws {
        let scene = try RepositoryScene()
        let own = try ProcessIdentity.current()
        let record: LeaseRecord? =
            switch `case` {
            case "another host": Self.record(.simulated(boot: 9), host: "bravo")
            case "another namespace": Self.record(own, namespace: "pid:[2]")
            default: nil
            }
        let lease = LeaseID.random(SystemRandomness())
        let limit = LeaseObserver.stillLimit
        let first = try scene.open(process: own).observer
        #expect(try first.state(of: lease, record) == .unknown(secondsLeft: 900))
        scene.clock.advance(nanoseconds: limit / 2)
        // The looks of several runs count together.
        let second = try scene.open(process: own).observer
        #expect(try second.state(of: lease, record) == .unknown(secondsLeft: 450))
        scene.clock.advance(nanoseconds: limit / 2 - 1)
        #expect(try second.state(of: lease, record) == .unknown(secondsLeft: 0))
        scene.clock.advance(nanoseconds: 1)
        #expect(try second.state(of: lease, record) == .dead)
    }

    @Test func aRenewalShowsThatTheHolderLives() throws {
        let scene = try RepositoryScene()
        let observer = try scene.open().observer
        let lease = LeaseID.random(SystemRandomness())
        for generation in UInt64(1)...40 {
            let record = Self.record(
                .simulated(boot: 9), host: "bravo", generation: generation)
            #expect(try observer.state(of: lease, record) == .unknown(secondsLeft: 900))
            scene.clock.advance(nanoseconds: LeaseObserver.stillLimit - 1)
        }
    }

    @Test func settingTheTimeOfDayDoesNotKillALease() throws {
        let scene = try RepositoryScene()
        let observer = try scene.open().observer
        let lease = LeaseID.random(SystemRandomness())
        let record = Self.record(.simulated(boot: 9), host: "bravo")
        _ = try observer.state(of: lease, record)
        scene.clock.set(now: Timestamp(seconds: 4_000_000_000, nanoseconds: 0))
        #expect(try observer.state(of: lease, record) == .unknown(secondsLeft: 900))
    }

    // MARK: Losing a lease

    @Test func aStoreWhoseLeaseIsRevokedFailsAndNothingOfItAppears() throws {
        let scene = try RepositoryScene()
        let repository = try scene.open()
        let lease = try HeldLease(on: scene.place, purpose: "test", world: repository.world)
        try repository.refresh()
        let store = BlobStore(repository, lease: lease, level: .fast)
        let tools = Tools(repository, level: .fast)
        for bytes in sampleContents {
            _ = try bytes.withUnsafeBytes { try store.put($0, kind: .data, with: tools) }
        }
        try scene.place.revoke(lease: lease.id)
        #expect(try code { _ = try store.finish() } == .revoked)
        let snapshot = Snapshot(
            time: scene.clock.now(), host: "alpha", user: "root", paths: [], tags: [], parent: nil,
            root: [], databases: [], totals: Snapshot.Totals(), program: "test")
        #expect(try code { _ = try repository.save(snapshot, under: lease) } == .revoked)
        #expect(try code { try lease.renew() } == .revoked)
        #expect(try code { try lease.end() } == .revoked)
        for folder in Folder.sealed { #expect(try scene.place.list(folder).isEmpty) }
    }

    @Test func whatWasPublishedBeforeTheLeaseWasLostStays() throws {
        let scene = try RepositoryScene()
        let ids = try TestRepository.store([[1]], in: scene.open())
        let repository = try scene.open()
        let lease = try HeldLease(on: scene.place, purpose: "test", world: repository.world)
        try repository.refresh()
        try scene.place.revoke(lease: lease.id)
        let store = BlobStore(repository, lease: lease, level: .fast)
        let tools = Tools(repository, level: .fast)
        #expect(throws: (any Error).self) {
            _ = try [UInt8(2)].withUnsafeBytes { try store.put($0, kind: .data, with: tools) }
            _ = try store.finish()
        }
        #expect(try scene.read(ids[0]) == [1])
    }

    // MARK: Claims

    /// Opens the repository as one process and takes a lease.
    private static func holder(
        _ scene: RepositoryScene, _ process: ProcessIdentity
    ) throws -> (Repository, HeldLease) {
        let repository = try scene.open(cache: "cache-\(process.pid)", process: process)
        return (
            repository,
            try HeldLease(on: scene.place, purpose: "backup", world: repository.world)
        )
    }

    private static func take(
        _ holder: (Repository, HeldLease), patience: UInt64 = 0
    ) throws {
        try Claim.take(
            "s", what: "the stream", in: holder.0, under: holder.1, patience: patience)
    }

    @Test func aClaimIsHeldUntilItsHolderEnds() throws {
        let scene = try RepositoryScene()
        let own = try ProcessIdentity.current()
        let first = try Self.holder(scene, own)
        let second = try Self.holder(scene, own)
        try Self.take(first)
        try Self.take(first)
        let before = scene.clock.bootTime()
        #expect(try code { try Self.take(second, patience: 60_000_000_000) } == .locked)
        #expect(scene.clock.bootTime() - before >= 60_000_000_000)
        try first.1.end()
        try Self.take(second)
        #expect(try scene.place.claims(on: "s").last?.lease == second.1.id)
    }

    @Test func theClaimOfADeadHolderIsTakenAndItsLeaseRevoked() throws {
        let scene = try RepositoryScene()
        let dead = try Self.holder(scene, .gone())
        try Self.take(dead)
        let heir = try Self.holder(scene, .current())
        try Self.take(heir)
        #expect(try scene.place.leases() == [heir.1.id])
        #expect(try code { _ = try scene.place.stage(under: dead.1.id) } == .revoked)
        #expect(try code { try Self.take(dead) } == .locked)
    }

    @Test func aHolderWithADamagedLeaseIsWaitedForUntilItStoodStill() throws {
        let scene = try RepositoryScene()
        let lost = try Self.holder(scene, .current())
        try Self.take(lost)
        try scene.place.renew(lease: lost.1.id, Array("torn".utf8))
        let heir = try Self.holder(scene, .current())
        #expect(try code { try Self.take(heir) } == .locked)
        scene.clock.advance(nanoseconds: LeaseObserver.stillLimit)
        try Self.take(heir)
    }
}
