package import Platform

/// Reads the moment a person names.
///
/// RFC 3339 (`2026-03-01T12:00:00.25+01:00`, `…Z`; a space may stand for the `T`, and one before
/// the zone, so that what `TimeText` writes is read), local time (`2026-03-01 12:00[:SS[.fff]]`),
/// or a time before now (`-15m`).
package struct TimeReader: Sendable {
    private let now: Timestamp
    private let zone: LocalZone

    /// Makes a reader that counts back from `now` and reads local times in `zone`.
    package init(now: Timestamp, zone: LocalZone) {
        self.now = now
        self.zone = zone
    }

    /// The moments that the text names: one, or two in order where the clocks showed it twice.
    ///
    /// Throws a usage error that names `subject` for anything else, also for a local time that the
    /// clocks skipped.
    package func read(_ text: String, of subject: String) throws(CommandError) -> [Timestamp] {
        if text.hasPrefix("-") {
            return [try before(try DurationText.read(String(text.dropFirst()), of: subject))]
        }
        guard let time = WrittenTime(text) else {
            throw .usage(
                "\(subject) is no time: \(PathText.shown(Array(text.utf8)))",
                hint: "write 2026-03-01T12:00:00+01:00, the local '2026-03-01 12:00', or -15m")
        }
        let moments: [Int64]
        if let offset = time.offsetSeconds {
            moments = time.fields.secondsInUTC.map { [$0 - offset] } ?? []
        } else {
            moments = zone.moments(showing: time.fields)
        }
        guard !moments.isEmpty else {
            throw .usage(
                "\(subject) names a time that does not exist: \(PathText.shown(Array(text.utf8)))",
                hint: time.fields.secondsInUTC == nil
                    ? nil : "the clocks skipped it; name a time before or after")
        }
        return moments.map { Timestamp(seconds: $0, nanoseconds: time.nanoseconds) }
    }

    private func before(_ duration: Duration) throws(CommandError) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        var moment = now.seconds - seconds
        var nanoseconds = Int64(now.nanoseconds) - attoseconds / 1_000_000_000
        if nanoseconds < 0 {
            nanoseconds += 1_000_000_000
            moment -= 1
        }
        return Timestamp(seconds: moment, nanoseconds: UInt32(nanoseconds))
    }
}

/// A date and time as written, before it is known to exist.
private struct WrittenTime {
    var fields: CalendarFields
    var nanoseconds: UInt32 = 0
    /// Seconds east of UTC; nil where the time is local.
    var offsetSeconds: Int64?

    init?(_ text: String) {
        var scanner = ByteScanner(Array(text.utf8))
        guard
            let year = scanner.number(digits: 4), scanner.skip("-"),
            let month = scanner.number(digits: 2), scanner.skip("-"),
            let day = scanner.number(digits: 2),
            scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.number(digits: 2), scanner.skip(":"),
            let minute = scanner.number(digits: 2)
        else { return nil }
        fields = CalendarFields(
            year: year, month: month, day: day, hour: hour, minute: minute, second: 0)
        guard readSeconds(&scanner), readZone(&scanner), scanner.isAtEnd else { return nil }
    }

    private mutating func readSeconds(_ scanner: inout ByteScanner) -> Bool {
        guard scanner.skip(":") else { return true }
        guard let second = scanner.number(digits: 2) else { return false }
        fields.second = second
        guard scanner.skip(".") else { return true }
        guard let fraction = scanner.fraction(mostDigits: 9) else { return false }
        nanoseconds = fraction
        return true
    }

    private mutating func readZone(_ scanner: inout ByteScanner) -> Bool {
        if scanner.isAtEnd { return true }
        _ = scanner.skip(" ")
        if scanner.skip("Z") || scanner.skip("z") {
            offsetSeconds = 0
            return true
        }
        let isWest = scanner.skip("-")
        guard isWest || scanner.skip("+"), let hours = scanner.number(digits: 2) else {
            return false
        }
        _ = scanner.skip(":")
        guard let minutes = scanner.number(digits: 2), hours < 24, minutes < 60 else {
            return false
        }
        offsetSeconds = Int64(hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
        return true
    }
}

/// Takes bytes of a fixed grammar off the front of a text.
private struct ByteScanner {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(digits: Int) -> Int? {
        guard rest.count >= digits else { return nil }
        var number = 0
        for byte in rest.prefix(digits) {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 0x30)
        }
        rest.removeFirst(digits)
        return number
    }

    /// A decimal fraction of a second in nanoseconds.
    mutating func fraction(mostDigits: Int) -> UInt32? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard (1...mostDigits).contains(digits.count) else { return nil }
        var value: UInt32 = 0
        for place in 0..<mostDigits {
            let byte = place < digits.count ? digits[digits.startIndex + place] : 0x30
            value = value * 10 + UInt32(byte - 0x30)
        }
        rest.removeFirst(digits.count)
        return value
    }
}
