import Platform
import Repository
import Simulation

/// The kinds of places, each of which must keep all invariants of Places/Place.swift.
enum PlaceKind: String, CaseIterable, Sendable {
    case linux, simulated, memory
}

/// A place of some kind, and what a test can do to it from outside.
final class PlaceUnderTest {
    let place: any Place
    /// Another process's view of the same place.
    let other: any Place
    private let disk: SimulatedDisk?
    private let folder: ScratchFolder?
    private static let root = FilePath("/srv/backup/repository")

    init(_ kind: PlaceKind, seed: UInt64 = 1, isPrepared: Bool = true) throws {
        let (first, second) = (SeededRandomness(seed: seed), SeededRandomness(seed: seed + 1000))
        switch kind {
        case .linux:
            let folder = ScratchFolder()
            let root = folder.path.appending("a").appending("repository")
            place = DirectoryPlace(at: root, on: LinuxDisk(), randomness: first)
            other = DirectoryPlace(at: root, on: LinuxDisk(), randomness: second)
            (self.folder, disk) = (folder, nil)
        case .simulated:
            let disk = SimulatedDisk()
            place = DirectoryPlace(at: PlaceUnderTest.root, on: disk, randomness: first)
            other = DirectoryPlace(at: PlaceUnderTest.root, on: disk, randomness: second)
            (folder, self.disk) = (nil, disk)
        case .memory:
            let memory = MemoryPlace()
            (place, other) = (memory, memory)
            (folder, disk) = (nil, nil)
        }
        if isPrepared { try place.prepare() }
    }

    /// What a process finds after a power failure now; the same place where there is no power.
    func afterCrash(seed: UInt64) -> any Place {
        guard let disk else { return other }
        return DirectoryPlace(
            at: PlaceUnderTest.root, on: disk.afterCrash(seed: seed),
            randomness: SeededRandomness(seed: seed))
    }

    /// Writes a file under a lease without publishing it.
    func stage(_ bytes: [UInt8], under lease: LeaseID) throws -> String {
        let staged = try place.stage(under: lease)
        try bytes.withUnsafeBytes { try staged.file.write($0) }
        try staged.file.sync()
        try staged.file.close()
        return staged.name
    }

    /// Begins a lease.
    func begin(_ text: String = "one") throws -> LeaseID {
        let lease = LeaseID.random(SystemRandomness())
        try place.begin(lease: lease, Array(text.utf8))
        return lease
    }
}

extension Place {
    /// The bytes of a file, nil where it is absent.
    func contents(_ name: ObjectName) throws -> [UInt8]? {
        do {
            return try read(name, limit: 1 << 20)
        } catch let error as RepositoryError where error.code == .absent {
            return nil
        }
    }

    func names(_ folder: Folder) throws -> [String] {
        try list(folder).map(\.name.name).sorted()
    }
}

/// The code of the repository's error that a step throws; nil where it throws none.
func code(of step: () throws -> Void) throws -> RepositoryError.Code? {
    do {
        try step()
        return nil
    } catch let error as RepositoryError {
        return error.code
    }
}
