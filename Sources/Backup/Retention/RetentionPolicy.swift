// Which snapshots of a group stay. Pure: an instance without I/O and without a clock, for ages
// count back from the group's newest snapshot.
//
// - A rule by number keeps the newest snapshot of each of the last so many periods that have one;
//   while it is not used up, the oldest snapshot stays too, so that a long rule can fill up.
// - A rule by age keeps what is no older than that, seen from the newest; with a period, the
//   newest of each period among these.
// - A tag keeps what bears it.
// - The floor holds against all rules: so many of the newest stay, whatever they say.

package import Platform

/// What a policy looks at.
package struct RetentionCandidate: Sendable {
    package let time: Timestamp
    package let tags: [String]

    package init(time: Timestamp, tags: [String]) {
        self.time = time
        self.tags = tags
    }
}

/// Rules that say which snapshots of a group stay.
package struct RetentionPolicy: Sendable {
    /// How many a rule keeps; all with `Int.max`.
    package var last = 0
    package var periods: [CalendarPeriod: Int] = [:]
    /// Seconds; nil where there is no such rule.
    package var within: Int64?
    package var withinPeriods: [CalendarPeriod: Int64] = [:]
    /// Each of which keeps a snapshot that bears all of its tags.
    package var tags: [Set<String>] = []
    /// The floor.
    package var atLeast = 1

    package init() {}

    /// Whether no rule keeps anything.
    package var isEmpty: Bool {
        last == 0 && periods.values.allSatisfy { $0 == 0 } && within == nil
            && withinPeriods.isEmpty && tags.isEmpty
    }

    /// Why each snapshot stays, in the order given; one without a reason goes.
    ///
    /// - Parameter offset: seconds by which the zone's clock is ahead of UTC at a moment.
    package func reasons(
        _ candidates: [RetentionCandidate], offset: @escaping (Int64) -> Int64
    ) -> [[String]] {
        var reasons = [[String]](repeating: [], count: candidates.count)
        let newestFirst = candidates.indices.sorted {
            (candidates[$1].time, $1) < (candidates[$0].time, $0)
        }
        guard let first = newestFirst.first else { return [] }
        let newest = candidates[first].time
        var rules = self.rules(newest: newest, offset: offset)
        for (rank, index) in newestFirst.enumerated() {
            for rule in rules.indices {
                let isOldest = rank == newestFirst.count - 1
                reasons[index] += rules[rule].judge(candidates[index], isOldest: isOldest)
            }
            reasons[index] += tags.filter { $0.isSubset(of: candidates[index].tags) }
                .map { "tag " + $0.sorted().joined(separator: ",") }
        }
        for index in keptByFloor(newestFirst, reasons) { reasons[index] = ["at least \(atLeast)"] }
        return reasons
    }

    private func keptByFloor(_ newestFirst: [Int], _ reasons: [[String]]) -> [Int] {
        let kept = reasons.filter { !$0.isEmpty }.count
        let going = newestFirst.filter { reasons[$0].isEmpty }
        return Array(going.prefix(max(0, atLeast - kept)))
    }

    private func rules(newest: Timestamp, offset: @escaping (Int64) -> Int64) -> [Rule] {
        var rules = [Rule(name: "last", left: last, start: nil, number: nil)]
        for period in CalendarPeriod.allCases {
            rules.append(
                Rule(name: period.rawValue, left: periods[period] ?? 0, start: nil) {
                    period.number(of: $0 + offset($0))
                })
        }
        if let within {
            rules.append(Rule(name: "within", start: newest.before(seconds: within), number: nil))
        }
        for period in CalendarPeriod.allCases {
            guard let age = withinPeriods[period] else { continue }
            rules.append(
                Rule(name: "within \(period.rawValue)", start: newest.before(seconds: age)) {
                    period.number(of: $0 + offset($0))
                })
        }
        return rules
    }
}

/// One rule on its way from the newest snapshot to the oldest.
private struct Rule {
    let name: String
    /// How many it may still keep.
    var left = Int.max
    /// Nothing older is kept.
    let start: Timestamp?
    /// The number of the period of a moment; nil where each moment is its own.
    let number: ((Int64) -> Int64)?
    private var current: Int64?

    init(name: String, left: Int = .max, start: Timestamp?, number: ((Int64) -> Int64)?) {
        self.name = name
        self.left = left
        self.start = start
        self.number = number
    }

    /// Names the rule where it keeps the snapshot.
    mutating func judge(_ candidate: RetentionCandidate, isOldest: Bool) -> [String] {
        guard left > 0 else { return [] }
        if let start, candidate.time < start { return [] }
        let period = number?(candidate.time.seconds)
        let isNext = period == nil || period != current
        guard isNext || (isOldest && start == nil) else { return [] }
        current = period
        if left != .max { left -= 1 }
        return [isNext ? name : "oldest \(name)"]
    }
}

extension Timestamp {
    /// The moment so many seconds before; the far end saturates.
    fileprivate func before(seconds: Int64) -> Timestamp {
        let (early, overflow) = self.seconds.subtractingReportingOverflow(seconds)
        return Timestamp(seconds: overflow ? .min : early, nanoseconds: nanoseconds)
    }
}
