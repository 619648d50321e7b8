import Platform
import Repository
import SQLite
import Simulation
import Synchronization
import Testing

@testable import Timeline

/// Two databases under one watch, and which of their commits nothing else happened around.
@Suite struct CutTests {
    private final class Scene {
        let scratch = ScratchFolder()
        let place = MemoryPlace()
        let repository: Repository
        let connections: [Connection]
        private let wake: Wake
        private let watcher: DatabaseWatcher

        init() throws {
            let world = World.simulated(SeededRandomness(seed: 1), clock: SystemClock())
            try TestRepository.make(at: place, world: world)
            repository = try TestRepository.open(place, cache: scratch.path, world: world)
            let folder = scratch.path
            let paths = ["one", "two"].map { folder.appending("\($0).db") }
            connections = try paths.map { path in
                let connection = try Connection(
                    opening: path, mode: .readWriteCreate, busyTimeoutMilliseconds: 5000)
                try connection.execute(
                    "PRAGMA journal_mode = wal; CREATE TABLE t (n); INSERT INTO t VALUES (0)")
                return connection
            }
            let lease = try HeldLease(on: place, purpose: "watch", world: world)
            wake = try Wake()
            watcher = try DatabaseWatcher(
                paths.map {
                    WatchSource($0, settings: WatchSettings(host: "alpha", directory: folder))
                },
                into: WatchRepository(repository, lease: lease) { _ in }, wake: wake
            ) { _ in }
        }

        /// Calls `turn` between looks of the watch, until it answers false.
        func run(_ turn: () throws -> Bool) throws {
            var failure: (any Error)?
            try watcher.run {
                do {
                    return try !turn()
                } catch {
                    failure = error
                    return true
                }
            }
            if let failure { throw failure }
        }

        func commit(_ number: Int) throws {
            try connections[number].execute("UPDATE t SET n = n + 1")
        }

        /// The flags of each database's commits, oldest first.
        func flags() throws -> [[Bool]] {
            let index = try StreamIndex(of: repository)
            return try ["one", "two"].map { name in
                let path = scratch.path.appending("\(name).db").bytes
                let stream = try #require(index.stream(host: "alpha", path: path))
                return try stream.summaries().flatMap { try stream.records(of: $0) }
                    .filter { $0.record.kind == .commit }.map(\.record.isCut)
            }
        }
    }

    @Test func commitsOneAfterAnotherAreCuts() throws {
        let scene = try Scene()
        var turns = 0
        try scene.run {
            turns += 1
            // Between two commits the watch has looked twice.
            if turns % 3 == 0, turns > 6 { try scene.commit(turns / 3 % 2) }
            return turns < 24
        }
        let flags = try scene.flags()
        #expect(flags.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 } }, "\(flags)")
    }

    @Test func commitsOfBothBetweenTwoLooksAreNone() throws {
        let scene = try Scene()
        var turns = 0
        try scene.run {
            turns += 1
            if turns % 3 == 0, turns > 6 { for number in 0...1 { try scene.commit(number) } }
            return turns < 24
        }
        let flags = try scene.flags()
        #expect(flags.allSatisfy { !$0.isEmpty && !$0.contains(true) }, "\(flags)")
    }
}
