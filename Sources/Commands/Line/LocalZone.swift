import Glibc

/// The zone in which local times are read and printed: how far it is from UTC, and when.
package struct LocalZone: Sendable {
    /// Seconds east of UTC at a moment given in seconds of the epoch.
    package let offsetSeconds: @Sendable (Int64) -> Int64

    /// Makes a zone of its rule.
    package init(offsetSeconds: @escaping @Sendable (Int64) -> Int64) {
        self.offsetSeconds = offsetSeconds
    }

    /// Universal time.
    package static let utc = LocalZone { _ in 0 }

    /// The zone of this process: `TZ`, else `/etc/localtime`; localtime_r(3).
    package static func system() -> LocalZone {
        // localtime_r need not read TZ itself (POSIX), so it is read here, once.
        tzset()
        return LocalZone { seconds in
            var time = time_t(seconds)
            var fields = tm()
            guard localtime_r(&time, &fields) != nil else { return 0 }
            return Int64(fields.tm_gmtoff)
        }
    }

    /// The moments, in seconds of the epoch, at which the zone's clocks show these fields.
    ///
    /// None where the clocks skip that time, two where they show it twice.
    func moments(showing fields: CalendarFields) -> [Int64] {
        guard let shown = fields.secondsInUTC else { return [] }
        // No zone changes its offset twice within two days.
        let offsets = [-86_400, 0, 86_400].map { offsetSeconds(shown + $0) }
        let moments = Set(offsets.map { shown - $0 })
        return moments.filter { $0 + offsetSeconds($0) == shown }.sorted()
    }
}

/// A date and a time of day without a zone.
struct CalendarFields: Hashable, Sendable {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int

    /// The seconds of the epoch at which UTC shows the fields; nil where no calendar does
    /// (30 February, 24:00). timegm(3).
    var secondsInUTC: Int64? {
        var fields = tm()
        fields.tm_year = CInt(year - 1900)
        fields.tm_mon = CInt(month - 1)
        fields.tm_mday = CInt(day)
        fields.tm_hour = CInt(hour)
        fields.tm_min = CInt(minute)
        fields.tm_sec = CInt(second)
        let seconds = Int64(timegm(&fields))
        // timegm makes 2 March of 30 February; what it changed was no date.
        return CalendarFields(secondsInUTC: seconds) == self ? seconds : nil
    }

    init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// What UTC shows at a moment; nil where the year leaves C's range. gmtime_r(3).
    init?(secondsInUTC: Int64) {
        var time = time_t(secondsInUTC)
        var fields = tm()
        guard gmtime_r(&time, &fields) != nil else { return nil }
        self.init(
            year: Int(fields.tm_year) + 1900, month: Int(fields.tm_mon) + 1,
            day: Int(fields.tm_mday), hour: Int(fields.tm_hour), minute: Int(fields.tm_min),
            second: Int(fields.tm_sec))
    }
}
