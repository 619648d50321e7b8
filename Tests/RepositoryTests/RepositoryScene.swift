import Codec
import Glibc
import Platform
import Repository
import Simulation

/// A repository in memory, and a directory for its catalogue.
final class RepositoryScene {
    let place = MemoryPlace()
    let scratch = ScratchFolder()
    let clock = SimulatedClock()
    private var opened: UInt64
    private let seed: UInt64

    init(seed: UInt64 = 1) throws {
        self.seed = seed
        opened = 0
        try TestRepository.make(at: place, world: world())
    }

    /// A world whose chance is not that of the ones before.
    func world(
        process: ProcessIdentity = .simulated(boot: 1), host: String = "alpha", workers: Int = 0
    ) -> World {
        opened += 1
        return World.simulated(
            SeededRandomness(seed: seed << 32 + opened), clock: clock, process: process, host: host,
            workers: workers)
    }

    /// Opens the repository as a new process does.
    func open(
        cache: String = "cache", password: [UInt8] = TestRepository.password,
        process: ProcessIdentity = .simulated(boot: 1), host: String = "alpha", workers: Int = 0
    ) throws -> Repository {
        try TestRepository.open(
            place, cache: scratch.path.appending(cache),
            world: world(process: process, host: host, workers: workers), password: password)
    }

    /// Names of all packs.
    func packs() throws -> [ObjectName] {
        try place.list(.packs).map(\.name).sorted()
    }

    /// The bytes of a blob, as a reader with an empty catalogue finds them.
    func read(_ id: BlobID) throws -> [UInt8] {
        opened += 1
        let repository = try open(cache: "reader-\(opened)")
        try repository.refresh()
        return try BlobOpener(repository).read(id)
    }

    /// What reading all of a pack finds wrong with it.
    func check(_ name: ObjectName, in repository: Repository) throws -> PackCheck.Finding {
        try PackCheck(place, with: Tools(repository, level: .fast)).run(name)
    }
}

/// Contents that compress, do not, and are empty.
let sampleContents: [[UInt8]] = [
    Array("the same words again and again, the same words again and again".utf8),
    SeededRandomness(seed: 5).bytes(100), [],
]
