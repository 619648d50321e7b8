/// How far a piece of work has come.
package struct Progress: Sendable {
    /// The work; it decides the names of the counts in JSON, which are restic's.
    package enum Work: Sendable {
        case backup
        case restore
        case verify

        /// What is counted beside bytes.
        package var unit: String { self == .verify ? "packs" : "files" }
    }

    package var work: Work
    /// Files, or packs, that are done.
    package var items: UInt64
    /// How many there are; nil as long as nobody knows.
    package var totalItems: UInt64?
    package var bytes: UInt64
    /// How many bytes there are; nil as long as nobody knows.
    package var totalBytes: UInt64?
    package var errors: UInt64
    /// The paths being worked on.
    package var current: [[UInt8]]

    /// Makes the progress of work that has not begun.
    package init(
        _ work: Work, items: UInt64 = 0, totalItems: UInt64? = nil, bytes: UInt64 = 0,
        totalBytes: UInt64? = nil, errors: UInt64 = 0, current: [[UInt8]] = []
    ) {
        self.work = work
        self.items = items
        self.totalItems = totalItems
        self.bytes = bytes
        self.totalBytes = totalBytes
        self.errors = errors
        self.current = current
    }

    /// The share that is done, by bytes where there are any: part and whole; nil while unknown.
    package var share: (part: UInt64, whole: UInt64)? {
        if let totalBytes, totalBytes > 0 { return (min(bytes, totalBytes), totalBytes) }
        if let totalItems, totalItems > 0, work == .verify || totalBytes != nil || bytes == 0 {
            return (min(items, totalItems), totalItems)
        }
        return nil
    }

    /// The bytes that are left; nil while unknown.
    package var bytesLeft: UInt64? {
        totalBytes.map { $0 > bytes ? $0 - bytes : 0 }
    }
}

/// The pace of work, smoothed so that the last five seconds count most.
struct Pace {
    private static let memorySeconds = 5.0

    private var lastBytes: UInt64 = 0
    private var lastTime: UInt64
    private(set) var bytesPerSecond: Double?

    /// Begins at a time in nanoseconds.
    init(start: UInt64) {
        lastTime = start
    }

    /// Notes the bytes done by a time in nanoseconds.
    mutating func note(_ bytes: UInt64, at time: UInt64) {
        guard time > lastTime, bytes >= lastBytes else { return }
        // The time before the first byte says nothing of the pace.
        guard bytes > 0 || bytesPerSecond != nil else { return }
        let seconds = Double(time - lastTime) / 1e9
        let current = Double(bytes - lastBytes) / seconds
        let weight = min(1, seconds / Self.memorySeconds)
        bytesPerSecond = bytesPerSecond.map { $0 + (current - $0) * weight } ?? current
        (lastBytes, lastTime) = (bytes, time)
    }

    /// The seconds that so many bytes will take; nil while unknown or beyond a year.
    func seconds(for bytes: UInt64) -> UInt64? {
        guard let bytesPerSecond, bytesPerSecond >= 1 else { return nil }
        let seconds = (Double(bytes) / bytesPerSecond).rounded(.up)
        return seconds < 31_536_000 ? UInt64(seconds) : nil
    }
}
