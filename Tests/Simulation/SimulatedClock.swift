package import Platform
import Synchronization

/// Time that passes only when someone sleeps, or when the test says so.
package final class SimulatedClock: Clock {
    private struct Hands {
        var now: Timestamp
        var bootTime: UInt64
    }

    private let hands: Mutex<Hands>

    /// It is noon of 2026-01-01, an hour after boot, where nothing else is said.
    package init(
        now: Timestamp = Timestamp(seconds: 1_767_268_800, nanoseconds: 0),
        bootTime: UInt64 = 3_600_000_000_000
    ) {
        hands = Mutex(Hands(now: now, bootTime: bootTime))
    }

    package func now() -> Timestamp { hands.withLock { $0.now } }

    package func bootTime() -> UInt64 { hands.withLock { $0.bootTime } }

    /// Lets the time pass and returns at once.
    package func sleep(nanoseconds: UInt64) { advance(nanoseconds: nanoseconds) }

    package func advance(nanoseconds: UInt64) {
        hands.withLock { hands in
            hands.now = hands.now.adding(nanoseconds: Int64(clamping: nanoseconds))
            hands.bootTime &+= nanoseconds
        }
    }

    /// Sets the time of day, back too; the time since boot goes its own way.
    package func set(now: Timestamp) { hands.withLock { $0.now = now } }
}
