import Platform

/// Lets a producer run ahead by so many bytes and no further.
// Unchecked: `available` and `closed` are touched only inside `monitor`.
final class ByteBudget: @unchecked Sendable {
    private let monitor = Monitor()
    private let limit: Int
    private var available: Int
    private var closed = false

    init(bytes: Int) {
        limit = bytes
        available = bytes
    }

    /// Waits until the bytes are free; what is larger than the whole budget waits for all of it.
    func take(_ bytes: Int) {
        let wanted = min(bytes, limit)
        monitor.locked {
            while available < wanted, !closed { monitor.wait() }
            available -= wanted
        }
    }

    func give(_ bytes: Int) {
        monitor.locked {
            available += min(bytes, limit)
            monitor.wakeAll()
        }
    }

    /// Waits until all bytes are back.
    func drain() {
        monitor.locked {
            while available < limit, !closed { monitor.wait() }
        }
    }

    /// From now on nobody waits.
    func close() {
        monitor.locked {
            closed = true
            monitor.wakeAll()
        }
    }
}
