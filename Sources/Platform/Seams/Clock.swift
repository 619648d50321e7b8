import Glibc

/// Where time comes from.
package protocol Clock: Sendable {
    /// The time of day, which may be set back and forth.
    func now() -> Timestamp
    /// Nanoseconds since boot, sleep included; never goes back.
    func bootTime() -> UInt64
    /// Returns when at least so much time has passed.
    func sleep(nanoseconds: UInt64)
}

/// This machine's time. Source: clock_gettime(2).
package struct SystemClock: Clock {
    package init() {}

    /// CLOCK_REALTIME
    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp.of(time)
    }

    /// CLOCK_BOOTTIME
    package func bootTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// A signal does not cut it short. Source: clock_nanosleep(2), TIMER_ABSTIME.
    package func sleep(nanoseconds: UInt64) {
        var start = timespec()
        clock_gettime(CLOCK_MONOTONIC, &start)
        var end = Timestamp.of(start).adding(nanoseconds: Int64(clamping: nanoseconds)).cValue
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nil) == EINTR {}
    }
}
