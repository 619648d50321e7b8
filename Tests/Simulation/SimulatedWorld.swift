import Glibc
package import Platform
package import Repository

extension World {
    /// A world in which nothing happens by itself: no thread, no time, no chance but the seed's.
    package static func simulated(
        _ randomness: any Randomness, clock: any Clock = SimulatedClock(),
        process: ProcessIdentity = .simulated(boot: 1), host: String = "alpha", workers: Int = 0
    ) -> World {
        World(
            clock: clock, randomness: randomness, process: process, host: host,
            namespace: "pid:[1]", renewsLeases: false, workers: workers)
    }
}

extension ProcessIdentity {
    /// A process of a simulated machine, which was started so many times.
    package static func simulated(boot: UInt8, pid: Int32 = 4711) -> ProcessIdentity {
        ProcessIdentity(
            bootID: [UInt8](repeating: boot, count: 16), pid: pid, startTime: 100)
    }

    /// A process of this machine, since it was started, that is gone.
    package static func gone() throws -> ProcessIdentity {
        let own = try ProcessIdentity.current()
        return ProcessIdentity(
            bootID: own.bootID, pid: own.pid, startTime: own.startTime &+ 1_000_000)
    }
}

/// How much a test does: CI's share, or all of it with `HOLDFAST_TEST_ALL=1`.
package enum TestShare {
    package static var isWhole: Bool {
        guard let value = getenv("HOLDFAST_TEST_ALL") else { return false }
        return String(cString: value) == "1"
    }

    package static func count(share: Int, whole: Int) -> Int {
        isWhole ? whole : share
    }
}
