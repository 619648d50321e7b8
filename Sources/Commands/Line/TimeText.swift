package import Platform

/// Writes moments; `TimeReader` reads what it writes.
package enum TimeText {
    /// How many digits of the second are shown.
    package enum Precision: Int, Sendable {
        case seconds = 0
        case milliseconds = 3
        case nanoseconds = 9
    }

    /// A moment as people read it, with its zone: `2026-03-01 12:00:00.250 +01:00`.
    ///
    /// Digits beyond the precision are cut, never rounded up into the next commit.
    package static func shown(
        _ moment: Timestamp, in zone: LocalZone, precision: Precision = .seconds
    ) -> String {
        let offset = zone.offsetSeconds(moment.seconds)
        return written(moment, offset, precision, between: " ", beforeZone: " ")
    }

    /// A moment as programs read it: RFC 3339 with nanoseconds.
    package static func rfc3339(_ moment: Timestamp, in zone: LocalZone) -> String {
        let offset = zone.offsetSeconds(moment.seconds)
        return written(moment, offset, .nanoseconds, between: "T", beforeZone: "")
    }

    private static func written(
        _ moment: Timestamp, _ offset: Int64, _ precision: Precision, between: String,
        beforeZone: String
    ) -> String {
        let (local, overflow) = moment.seconds.addingReportingOverflow(offset)
        guard !overflow, let fields = CalendarFields(secondsInUTC: local) else {
            return "@\(moment.seconds)"
        }
        let date = [digits(fields.year, 4), digits(fields.month, 2), digits(fields.day, 2)]
        let time = [digits(fields.hour, 2), digits(fields.minute, 2), digits(fields.second, 2)]
        var text = date.joined(separator: "-") + between + time.joined(separator: ":")
        if precision != .seconds {
            text += "." + digits(Int(moment.nanoseconds), 9).prefix(precision.rawValue)
        }
        return text + beforeZone + zoneText(offset)
    }

    private static func zoneText(_ offset: Int64) -> String {
        let minutes = Int(offset.magnitude / 60)
        return (offset < 0 ? "-" : "+") + digits(minutes / 60, 2) + ":" + digits(minutes % 60, 2)
    }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
