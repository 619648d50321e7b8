import Codec
import Glibc
import Platform
import Repository
import SQLite
import Simulation
import Testing

@testable import Timeline

/// A database that is recorded three times, and put back to the first state.
private final class PutBackScene {
    let scratch = CaptureScratch()
    let repository: Repository
    private(set) var states: [Snapshot.Database] = []
    private let connection: Connection
    private let first: FilePath
    private let cache = ScratchFolder()
    private let directory: Descriptor

    init(mode: String) throws {
        directory = try Descriptor.open(scratch.path, flags: O_RDONLY | O_DIRECTORY)
        let world = World.simulated(
            SeededRandomness(seed: 1), process: .simulated(boot: 2))
        let place = MemoryPlace()
        try TestRepository.make(at: place, world: world)
        repository = try TestRepository.open(place, cache: cache.path, world: world)
        connection = try scratch.makeDatabase("a.db", mode: mode, rows: 500)
        first = scratch.file("first.db")
        try record()
        try connection.execute("VACUUM INTO '\(first)'")
        for step in 1...2 {
            try connection.execute("UPDATE t SET b = randomblob(200) WHERE a % 7 = \(step)")
            try record()
        }
    }

    /// Records the database as it is, knowing what was recorded before, as `backup` does.
    @discardableResult
    func record() throws -> CapturedDatabase {
        let captured = try repository.record(
            scratch.file("a.db"), known: states.last, scratch: cache.path)
        states.append(captured.database)
        return captured
    }

    /// Recovers a state into a file, and copies that over the database, as a restore does.
    func putBack(_ state: Snapshot.Database) throws {
        let recovered = scratch.file("recovered.db")
        let file = try Descriptor.open(recovered, flags: O_RDWR | O_CREAT | O_TRUNC)
        var offset: UInt64 = 0
        try DatabaseRecovery(from: repository).recoverInOrder(
            state.reference, with: Tools(repository, level: .fast)
        ) { bytes in
            try bytes.withUnsafeBytes { try file.write($0, at: offset) }
            offset += UInt64(bytes.count)
        }
        let target = scratch.file("a.db")
        let copy = try OnlineCopy(of: recovered, at: place(of: "recovered.db"))
        try copy.begin(
            over: target, at: place(of: "a.db"),
            expecting: try FileStatus.of(target, followingLinks: true)
        ).finish()
        try copy.close()
    }

    private func place(of name: String) -> DatabasePlace {
        DatabasePlace(Array(name.utf8), in: directory)
    }

    /// A restore takes the stream over and dies.
    func dieRestoring(_ state: Snapshot.Database) throws {
        let world = World.simulated(
            SeededRandomness(seed: 9), process: .simulated(boot: 1))
        let lease = try HeldLease(
            on: repository.place, purpose: RestorePurpose.text(state.reference), world: world)
        try Claim.take(
            StreamClaim.subject(
                host: "alpha", path: scratch.file("a.db").bytes, in: repository),
            what: "the stream", in: repository, under: lease, patience: 0)
    }

    func change() throws {
        try connection.execute("UPDATE t SET b = randomblob(200) WHERE a = 3")
    }
}

@Suite struct PuttingBackTests {
    @Test(arguments: ["wal", "delete"])
    func afterARestoreThatDiedTheNextBackupBeginsTheEpochAtTheStateItPutBack(
        _ mode: String
    ) throws {
        let scene = try PutBackScene(mode: mode)
        let state = scene.states[0]
        try scene.dieRestoring(state)
        try scene.putBack(state)
        let found = try scene.record().database.reference
        let streams = try StreamIndex(of: scene.repository).streams
        let stream = try #require(streams[state.reference.stream])
        let history = try History(of: stream)
        let epoch = try #require(history.branches.last?.begin).record
        #expect(epoch.cause == .restored)
        #expect(epoch.start == state.reference.position)
        #expect(epoch.position == Position(epoch: 2, sequence: epoch.start.sequence + 1))
        // SQLite counts the schema cookie up: page 1 comes behind the epoch.
        #expect(found.position == epoch.position.next)
        #expect(try stream.record(at: found).record.tableCount == 1)
    }

    @Test func aRestoreThatDiedBeforeItPutAnythingBackBeginsNoEpoch() throws {
        let scene = try PutBackScene(mode: "wal")
        try scene.dieRestoring(scene.states[0])
        try scene.change()
        #expect(try scene.record().database.reference.position.epoch == 1)
    }

    @Test func aPurposeTellsTheStateAndNothingElseDoes() throws {
        let state = DatabaseReference(
            stream: [], position: Position(epoch: 12, sequence: 900),
            chain: Hasher256.digest([1]), fingerprint: [])
        let text = RestorePurpose.text(state)
        #expect(RestorePurpose(text)?.position == state.position)
        for other in ["restore", "watch", "restore of ", "restore of 1/2", text + "0"] {
            #expect(RestorePurpose(other) == nil)
        }
    }
}
