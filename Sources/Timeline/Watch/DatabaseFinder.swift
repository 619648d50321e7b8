import Platform
import Synchronization

/// Walks over watched directories, on a thread of its own, and hands over what it saw.
///
/// It opens no file: see ``DatabaseSearch``.
final class DatabaseFinder: Sendable {
    private struct State {
        var isStopping = false
        /// Whether something came or went since the last walk began.
        var isAsked = false
        var found: [DatabaseSearch]?
        var thread: WorkerThread?
    }

    /// Nanoseconds between walks when nothing tells of a change.
    private static let longestRest: UInt64 = 10_000_000_000
    /// Nanoseconds between walks in any case; notices come in bursts.
    private static let shortestRest: UInt64 = 250_000_000
    private static let tick: UInt64 = 50_000_000
    /// How many times as long as a walk took it rests after that.
    private static let restsPerWalk: UInt64 = 10

    private let roots: [FilePath]
    private let excluded: Set<FileIdentity>
    private let clock: any Clock
    private let wake: Wake
    private let state = Mutex(State())

    init(
        in roots: [FilePath], excluding excluded: Set<FileIdentity>, clock: any Clock, wake: Wake
    ) {
        self.roots = roots
        self.excluded = excluded
        self.clock = clock
        self.wake = wake
    }

    func start() {
        guard !roots.isEmpty else { return }
        let thread = WorkerThread(name: "find") { [self] in
            while !state.withLock({ $0.isStopping }) { walk() }
        }
        state.withLock { $0.thread = thread }
    }

    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            return state.thread.take()
        }
        thread?.join()
    }

    /// Something came or went: walk soon.
    func ask() {
        state.withLock { $0.isAsked = true }
    }

    /// What the last walk saw, a search for each root; nil where no walk ended since the last call.
    func take() -> [DatabaseSearch]? {
        state.withLock { $0.found.take() }
    }

    private func walk() {
        let begin = clock.bootTime()
        state.withLock { $0.isAsked = false }
        let found = roots.map { DatabaseSearch(beneath: $0, excluding: excluded) }
        state.withLock { $0.found = found }
        do {
            try wake.ring()
        } catch {
            // The pipe is full of rings, or the capture thread comes round by itself.
        }
        rest(begin, took: clock.bootTime() - begin)
    }

    private func rest(_ begin: UInt64, took walk: UInt64) {
        let shortest = max(DatabaseFinder.shortestRest, walk * DatabaseFinder.restsPerWalk)
        let longest = max(DatabaseFinder.longestRest, shortest)
        while true {
            let passed = clock.bootTime() - begin
            let isDue = state.withLock { state in
                state.isStopping || (state.isAsked && passed >= shortest) || passed >= longest
            }
            if isDue { return }
            clock.sleep(nanoseconds: DatabaseFinder.tick)
        }
    }
}
