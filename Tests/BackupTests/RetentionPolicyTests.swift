import Backup
import Platform
import Testing

@Suite struct RetentionPolicyTests {
    private static let day: Int64 = 86_400
    /// Monday 2024-01-01 00:00 UTC.
    private static let start: Int64 = 1_704_067_200

    private func candidates(_ seconds: [Int64], tags: [[String]] = []) -> [RetentionCandidate] {
        seconds.enumerated().map { index, second in
            RetentionCandidate(
                time: Timestamp(seconds: second, nanoseconds: 0),
                tags: index < tags.count ? tags[index] : [])
        }
    }

    private func kept(
        _ policy: RetentionPolicy, _ seconds: [Int64], tags: [[String]] = [], offset: Int64 = 0
    ) -> [Int] {
        let reasons = policy.reasons(candidates(seconds, tags: tags)) { _ in offset }
        return reasons.indices.filter { !reasons[$0].isEmpty }
    }

    private func policy(_ change: (inout RetentionPolicy) -> Void) -> RetentionPolicy {
        var policy = RetentionPolicy()
        change(&policy)
        return policy
    }

    @Test func theLastSoManyStay() {
        let times = (0..<5).map { Self.start + Int64($0) }
        #expect(kept(policy { $0.last = 2 }, times) == [3, 4])
        #expect(kept(policy { $0.last = .max }, times) == [0, 1, 2, 3, 4])
    }

    @Test func theNewestOfEachPeriodStaysAndTheOldestWhileTheRuleIsNotUsedUp() {
        // Three days with three snapshots each.
        let times = (0..<9).map { Self.start + Int64($0 / 3) * Self.day + Int64($0 % 3) * 3600 }
        #expect(kept(policy { $0.periods[.daily] = 2 }, times) == [5, 8])
        #expect(kept(policy { $0.periods[.daily] = 3 }, times) == [2, 5, 8])
        #expect(kept(policy { $0.periods[.daily] = 4 }, times) == [0, 2, 5, 8])
        #expect(kept(policy { $0.periods[.hourly] = 2 }, times) == [7, 8])
        #expect(kept(policy { $0.periods[.yearly] = 1 }, times) == [8])
        let reasons = policy { $0.periods[.daily] = 4 }.reasons(candidates(times)) { _ in 0 }
        #expect(reasons[0] == ["oldest daily"] && reasons[8] == ["daily"])
    }

    @Test func daysBeginAtMidnightOfTheZone() {
        // 23:30 and 00:30 UTC: two days in UTC, one an hour to the east.
        let times = [Self.start - 1800, Self.start + 1800]
        let rule = policy { $0.periods[.daily] = 2 }
        #expect(kept(rule, times) == [0, 1])
        #expect(
            CalendarPeriod.daily.number(of: times[0]) + 1
                == CalendarPeriod.daily.number(of: times[1]))
        #expect(
            CalendarPeriod.daily.number(of: times[0] + 3600)
                == CalendarPeriod.daily.number(of: times[1] + 3600))
    }

    @Test func agesCountBackFromTheNewestAndFromNoClock() {
        let times = [0, 5, 9, 10].map { Self.start + $0 * Self.day }
        #expect(kept(policy { $0.within = 5 * Self.day }, times) == [1, 2, 3])
        #expect(kept(policy { $0.within = 5 * Self.day - 1 }, times) == [2, 3])
        let hours = (0..<6).map { Self.start + Int64($0) * 1800 }
        #expect(kept(policy { $0.withinPeriods[.hourly] = 7200 }, hours) == [1, 3, 5])
    }

    @Test func tagsKeepWhatBearsAllOfThem() {
        let times = (0..<4).map { Self.start + Int64($0) }
        let tags = [["a"], ["a", "b"], ["b"], []]
        #expect(kept(policy { $0.tags = [["a"]] }, times, tags: tags) == [0, 1])
        #expect(kept(policy { $0.tags = [["a", "b"], ["c"]] }, times, tags: tags) == [1])
    }

    @Test func aPolicyThatWouldDeleteEverythingIsStoppedByTheFloor() {
        let times = (0..<4).map { Self.start + Int64($0) }
        #expect(kept(policy { $0.tags = [["none"]] }, times) == [3])
        let floor = policy {
            $0.tags = [["none"]]
            $0.atLeast = 3
        }
        #expect(kept(floor, times) == [1, 2, 3])
        #expect(kept(policy { $0.atLeast = 9 }, times) == [0, 1, 2, 3])
        #expect(kept(policy { $0.last = 1 }, []) == [])
    }

    @Test func weeksBeginOnMondaysAndMonthsAndYearsWhereTheCalendarSays() {
        #expect(
            CalendarPeriod.weekly.number(of: Self.start - 1) + 1
                == CalendarPeriod.weekly.number(of: Self.start))
        #expect(
            CalendarPeriod.weekly.number(of: Self.start)
                == CalendarPeriod.weekly.number(of: Self.start + 7 * Self.day - 1))
        // 2024 is a leap year: 29 February, then 1 March.
        let march = Self.start + 60 * Self.day
        #expect(CalendarPeriod.monthly.number(of: march - 1) == 2024 * 12 + 1)
        #expect(CalendarPeriod.monthly.number(of: march) == 2024 * 12 + 2)
        #expect(CalendarPeriod.yearly.number(of: Self.start - 1) == 2023)
        #expect(CalendarPeriod.yearly.number(of: Self.start) == 2024)
        #expect(CalendarPeriod.monthly.number(of: -1) == 1969 * 12 + 11)
        #expect(CalendarPeriod.daily.number(of: -1) == -1)
    }

    /// All histories of up to five snapshots on a small calendar, under all small policies.
    @Test func everySmallHistoryUnderEverySmallPolicyKeepsWhatItShould() {
        let slots = (0..<6).map { Self.start + Int64($0) * Self.day / 2 }
        var tried = 0
        for mask in 1..<64 {
            let times = slots.indices.filter { mask >> $0 & 1 == 1 }.map { slots[$0] }
            for code in 0..<81 {
                let policy = policy {
                    $0.last = code % 3
                    $0.periods[.daily] = code / 3 % 3
                    $0.within = code / 9 % 3 == 0 ? nil : Int64(code / 9 % 3 - 1) * Self.day
                    $0.atLeast = code / 27 + 1
                }
                check(policy, times)
                tried += 1
            }
        }
        #expect(tried == 63 * 81)
    }

    private func check(_ policy: RetentionPolicy, _ times: [Int64]) {
        let kept = Set(self.kept(policy, times))
        let count = times.count
        // The floor, and each rule by itself, said in another way.
        #expect(kept.count >= min(count, policy.atLeast))
        #expect(Set(times.indices.suffix(policy.last)).isSubset(of: kept))
        if let within = policy.within {
            let inside = times.indices.filter { times[$0] >= times[count - 1] - within }
            #expect(Set(inside).isSubset(of: kept))
        }
        let days = Dictionary(grouping: times.indices) { (times[$0] - Self.start) / Self.day }
        let newest = days.keys.sorted().suffix(policy.periods[.daily] ?? 0)
        let lastOfDays = Set(newest.compactMap { day in days[day].flatMap { $0.max() } })
        #expect(lastOfDays.isSubset(of: kept))
        // Nothing stays without a rule, and what is kept never depends on what else was removed.
        let again = self.kept(policy, kept.sorted().map { times[$0] })
        #expect(again.count == kept.count, "\(policy) \(times)")
    }
}
