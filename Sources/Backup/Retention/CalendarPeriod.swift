/// The periods by which retention keeps snapshots.
package enum CalendarPeriod: String, CaseIterable, Sendable {
    case hourly, daily, weekly, monthly, yearly

    /// The number of the period in which a moment lies, in seconds of a zone's own clock; weeks
    /// begin on Mondays.
    package func number(of localSeconds: Int64) -> Int64 {
        let day = localSeconds.dividedDown(by: 86_400)
        switch self {
        case .hourly: return localSeconds.dividedDown(by: 3600)
        case .daily: return day
        case .weekly: return (day + 3).dividedDown(by: 7)  // 1970 began on a Thursday
        case .monthly:
            let (year, month) = CalendarPeriod.month(of: day)
            return year * 12 + month
        case .yearly: return CalendarPeriod.month(of: day).year
        }
    }

    /// Year and month (0 to 11) of a day counted from 1970-01-01; days are counted from the
    /// first of March of the year 0, so that leap days come last.
    private static func month(of day: Int64) -> (year: Int64, month: Int64) {
        let shifted = day + 719_468
        let era = shifted.dividedDown(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = (fromMarch + 2) % 12
        return (yearOfEra + era * 400 + (month < 2 ? 1 : 0), month)
    }
}

extension Int64 {
    /// The quotient, rounded down also below zero.
    fileprivate func dividedDown(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
