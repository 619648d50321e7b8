import Testing

/// What was said of a line that is not what it should be.
private struct BadLine: Error {
    let line: String
}

/// A commit as its writer knows it; times are nanoseconds since 1970.
struct WrittenCommit {
    let state: String
    let before: Int64
    let after: Int64

    init(_ line: String) throws {
        let words = line.split(separator: " ")
        guard words.count == 6, let before = Int64(words[4]), let after = Int64(words[5]) else {
            throw BadLine(line: line)
        }
        // Counter, checksum, total, rows.
        state = words[..<4].joined(separator: " ")
        (self.before, self.after) = (before, after)
    }
}

/// A record as `history` shows it; times are nanoseconds since 1970.
struct RecordedPoint {
    let position: String
    let sequence: Int
    let kind: String
    let isCompared: Bool
    let seen: Int64
    let notBefore: Int64
    /// Whether it wrote most pages of the database, as VACUUM does.
    let isWhole: Bool

    init(_ line: String) throws {
        let words = line.split(separator: " ")
        guard words.count == 8, let sequence = Int(words[1]), let seen = Int64(words[4]),
            let notBefore = Int64(words[5]), let changed = Int(words[6]), let pages = Int(words[7])
        else { throw BadLine(line: line) }
        position = "\(words[0])/\(words[1])"
        self.sequence = sequence
        kind = String(words[2])
        isCompared = words[3] == "1"
        (self.seen, self.notBefore) = (seen, notBefore)
        isWhole = changed * 2 > pages
    }

    /// The interval in which the state came to be is longer than what counts as a moment.
    var isLongUnseen: Bool { seen - notBefore > 1_000_000_000 }
    /// A commit that is recorded by itself.
    var isCommit: Bool { kind == "commit" && !isCompared }
    var hasState: Bool { kind != "gap" && kind != "epoch" }
}

/// What a restored database holds.
struct RestoredState {
    let counter: Int
    let state: String
    /// Counts each VACUUM, and nothing else here.
    let schemaVersion: Int
    /// Integrity check, row count, sum and checksums of all rows.
    let isSound: Bool

    init(_ line: String) throws {
        let words = line.split(separator: " ")
        guard words.count == 6, let counter = Int(words[0]), let schema = Int(words[4]) else {
            throw BadLine(line: line)
        }
        self.counter = counter
        state = words[..<4].joined(separator: " ")
        schemaVersion = schema
        isSound = words[5] == "1"
    }
}

/// Holds what was recorded against what the writer did.
struct CoreProofJudge {
    /// The commit with counter n is the n-th.
    private let log: [WrittenCommit]
    let points: [RecordedPoint]
    /// For each point the counter of its state; nil for a gap.
    private(set) var counters: [Int?]
    /// Points between which every commit is recorded by itself.
    let runs: [ClosedRange<Int>]
    private let tally = Tally()

    /// What came out, for people.
    private final class Tally {
        var positions = 0
        var exact = 0
        var late = 0
        var latest: Int64 = 0
        var refused = 0
        var missed = 0
    }

    init(_ log: [WrittenCommit], _ points: [RecordedPoint]) {
        self.log = log
        self.points = points
        counters = Array(repeating: nil, count: points.count)
        var runs: [ClosedRange<Int>] = []
        for (index, point) in points.enumerated() where point.hasState {
            let continues = index > 0 && !point.isCompared && points[index - 1].hasState
            let start = continues ? runs.popLast()?.lowerBound : nil
            runs.append((start ?? index)...index)
        }
        self.runs = runs
    }

    var counts: String {
        "\(log.count - 1) commits, \(points.count) records, \(runs.count - 1) gaps with "
            + "\(tally.missed) commits; \(tally.positions) states proved; times: "
            + "\(tally.exact) exact, \(tally.late) behind by up to \(tally.latest / 1000) µs as "
            + "their bounds say, \(tally.refused) refused"
    }

    // MARK: Each commit is a position

    /// Gives each point of a run its counter, from the states at both ends.
    mutating func place(_ first: RestoredState, _ last: RestoredState, in run: ClosedRange<Int>) {
        var counter = first.counter
        var vacuums = 0
        for index in run {
            if index > run.lowerBound, points[index].isCommit {
                if points[index].isWhole { vacuums += 1 } else { counter += 1 }
            }
            counters[index] = counter
        }
        let name = "\(points[run.lowerBound].position) to \(points[run.upperBound].position)"
        #expect(counter == last.counter, "\(name): a commit is missing or twice")
        #expect(vacuums == last.schemaVersion - first.schemaVersion, "\(name)")
        expect(first, at: run.lowerBound)
        expect(last, at: run.upperBound)
    }

    /// A restored state is the one that the writer had after that commit, to the row.
    func expect(_ state: RestoredState, at index: Int) {
        let position = points[index].position
        tally.positions += 1
        #expect(state.isSound, "\(position)")
        guard let counter = counters[index], log.indices.contains(counter) else {
            Issue.record("\(position) is no state of the writer")
            return
        }
        #expect(state.state == log[counter].state, "\(position)")
    }

    /// Every commit is a position by itself, but those within the bounds of a gap; and there are
    /// gaps only where nothing watched.
    func expectEveryCommit(outside absences: [ClosedRange<Int64>]) {
        #expect(points.allSatisfy { $0.position.hasPrefix("1/") })
        #expect(counters.first == 0)
        #expect(counters.last == log.count - 1)
        #expect(zip(points, points.dropFirst()).allSatisfy { $0.sequence + 1 == $1.sequence })
        for (run, next) in zip(runs, runs.dropFirst()) {
            guard let last = counters[run.upperBound], let first = counters[next.lowerBound] else {
                continue
            }
            let (from, to) = (points[run.upperBound + 1].notBefore, points[next.lowerBound].seen)
            #expect(
                absences.contains { from <= $0.lowerBound && $0.upperBound <= to },
                "a gap before \(points[next.lowerBound].position) while the watch ran")
            guard last < first else { continue }
            tally.missed += first - last
            #expect(from <= log[last + 1].after, "commit \(last + 1) lies before its gap")
            #expect(log[first].before <= to, "commit \(first) lies behind its gap")
        }
    }

    /// Between `not_before` and `time` each commit came to be.
    func expectTimesThatHold() {
        var failures: [String] = []
        for (index, point) in points.enumerated() where point.isCommit && !point.isWhole {
            guard let counter = counters[index], log.indices.contains(counter) else { continue }
            let commit = log[counter]
            if point.seen < commit.before {
                failures.append("\(point.position) seen \(commit.before - point.seen) ns early")
            }
            if commit.after < point.notBefore {
                failures.append(
                    "\(point.position) there \(point.notBefore - commit.after) ns before")
            }
        }
        #expect(failures.isEmpty, "\(failures.count): \(failures.prefix(20))")
    }

    // MARK: Each time

    /// Whether an answer to `--at` is right; the point that was given, unless it was refused.
    func judge(_ run: RunResult, at moment: Int64) -> Int? {
        guard run.code == 0 else {
            tally.refused += 1
            #expect(run.code == 1 && run.output.contains("\"certain\":false"), "\(moment): \(run)")
            #expect(isUncertain(moment), "\(moment) is in no gap: \(run)")
            return nil
        }
        guard run.output.contains("\"certain\":true"), let index = given(run) else {
            Issue.record("\(moment): \(run)")
            return nil
        }
        expect(index, at: moment)
        return index
    }

    private func given(_ run: RunResult) -> Int? {
        guard let start = run.output.end(of: "\"given\":{\"position\":\"") else { return nil }
        let position = String(run.output[start...].prefix { $0 != "\"" })
        return points.firstIndex { $0.position == position }
    }

    /// Whether `history` shows that nobody knows which state was there.
    private func isUncertain(_ moment: Int64) -> Bool {
        for (index, point) in points.enumerated() where point.notBefore <= moment {
            if point.hasState {
                if point.isLongUnseen, moment <= point.seen { return true }
            } else if let next = points[index...].first(where: \.hasState), moment <= next.seen {
                return true
            }
        }
        return false
    }

    /// The state after the last commit that had ended by then, or one that was under way; or that
    /// of a commit a look earlier, where the next one's bounds, a second at most, say so.
    private func expect(_ index: Int, at moment: Int64) {
        guard let counter = counters[index] else {
            Issue.record("\(points[index].position) has no state")
            return
        }
        let ended = last { $0.after <= moment }
        #expect(counter <= last { $0.before <= moment }, "\(moment): a state that was yet to come")
        guard counter < ended else {
            tally.exact += 1
            return
        }
        tally.late += 1
        tally.latest = max(tally.latest, moment - log[counter + 1].after)
        guard let next = points[(index + 1)...].first(where: \.hasState) else {
            Issue.record("\(moment): a later state was there, and none is recorded")
            return
        }
        #expect(
            next.notBefore <= moment && moment < next.seen && !next.isLongUnseen,
            "\(moment): \(points[index].position) was \(ended - counter) commits behind")
    }

    /// The counter of the last commit for which this is so, where it is so for all before.
    private func last(where isSo: (WrittenCommit) -> Bool) -> Int {
        var (low, high) = (0, log.count)
        while low < high {
            let middle = (low + high) / 2
            if isSo(log[middle]) { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}
