import Codec
import Platform
import Repository
import Simulation
import Testing

@testable import Timeline

/// A second watch of a database that is recorded already.
@Suite struct RivalWatchTests {
    private struct Scene {
        let cache = ScratchFolder()
        let place = MemoryPlace()
        let clock = SimulatedClock()
        let repository: Repository
        let sources: [WatchSource]

        init() throws {
            let settings = WatchSettings(host: "alpha", directory: "/journals")
            sources = [
                WatchSource("/srv/free.db", settings: settings),
                WatchSource("/srv/taken.db", settings: settings),
            ]
            let world = try Scene.world(.current(), clock)
            try TestRepository.make(at: place, world: world)
            repository = try TestRepository.open(place, cache: cache.path, world: world)
        }

        static func world(_ process: ProcessIdentity, _ clock: SimulatedClock) -> World {
            World.simulated(SeededRandomness(seed: 1), clock: clock, process: process)
        }

        /// Another process records the second database.
        func take(purpose: String, by process: ProcessIdentity) throws -> HeldLease {
            let lease = try HeldLease(
                on: place, purpose: purpose, world: Scene.world(process, clock))
            try Claim.take(
                StreamClaim.subject(
                    host: "alpha", path: Array("/srv/taken.db".utf8), in: repository),
                what: "the stream", in: repository, under: lease, patience: 0)
            return lease
        }
    }

    @Test func aWatchThatLivesIsNamedOnceTheGraceIsOver() throws {
        let scene = try Scene()
        _ = try scene.take(purpose: "watch", by: .current())
        let start = scene.clock.bootTime()
        let error = #expect(throws: RepositoryError.self) {
            try RivalWatch.refuse(scene.sources, in: scene.repository, patience: RivalWatch.grace)
        }
        #expect(error?.code == .locked)
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("/srv/taken.db is recorded by watch on alpha, process "))
        #expect(scene.clock.bootTime() - start >= RivalWatch.grace)
    }

    @Test func whoDiedOrOnlyPassesByIsNoRival() throws {
        for (purpose, process) in try [
            ("watch", ProcessIdentity.gone()), ("backup", ProcessIdentity.current()),
        ] {
            let scene = try Scene()
            _ = try scene.take(purpose: purpose, by: process)
            try RivalWatch.refuse(scene.sources, in: scene.repository, patience: 0)
        }
    }

    @Test func aWatchThatEndedIsNoRival() throws {
        let scene = try Scene()
        let lease = try scene.take(purpose: "watch", by: .current())
        try lease.end()
        try RivalWatch.refuse(scene.sources, in: scene.repository, patience: 0)
    }
}
