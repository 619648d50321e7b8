// Finds the state of a moment: that of the last record which was seen at or before it. Where the
// clock went on, a record's state was there from its moment to that of the next. Where the clock
// was set back between two records, the first one's state was there when the clock showed what lay
// up to so far behind its moment as time passed between the two, and again so far before the
// second one's: each moment there is one the clock may have shown twice.

package import Platform

/// Looks for moments in a history.
package struct MomentSearch {
    private let history: History
    private let now: Timestamp
    private let knownUntil: Timestamp?

    /// A state that was found no later than this after the look before is known well enough.
    package static let closeNanoseconds: Int64 = 1_000_000_000

    /// - Parameter knownUntil: when somebody looked last and found the newest record's state.
    package init(in history: History, now: Timestamp, knownUntil: Timestamp? = nil) {
        self.history = history
        self.now = now
        self.knownUntil = knownUntil
    }

    package func find(_ moment: Timestamp) throws -> MomentAnswer {
        guard let first = history.first, let last = history.last else {
            return .between(before: nil, after: nil, .beforeHistory)
        }
        guard moment <= now else {
            return .between(before: try restorable(upTo: last), after: nil, .future)
        }
        let places = try places(at: moment)
        guard let place = places.first else {
            return .between(before: nil, after: try restorable(from: first), .beforeHistory)
        }
        guard places.count == 1 else {
            return .several(try places.map { try point(at: $0) })
        }
        return try answer(moment, at: place)
    }

    /// The state of a place, and the commit after it.
    package func point(at place: History.Place) throws -> RestorePoint {
        RestorePoint(
            try history.record(at: place),
            next: try history.place(after: place).flatMap { try solid(from: $0) })
    }

    /// The nearest record from a place on that is a commit or a base.
    private func solid(from place: History.Place) throws -> RecordHandle? {
        var place: History.Place? = place
        while let current = place {
            let handle = try history.record(at: current)
            if ![.gap, .epoch].contains(handle.record.kind) { return handle }
            place = history.place(after: current)
        }
        return nil
    }

    /// The nearest records on both sides of a place, itself left out, that can be restored.
    package func neighbours(
        of place: History.Place
    ) throws -> (before: RecordHandle?, after: RecordHandle?) {
        (
            try history.place(before: place).flatMap { try restorable(upTo: $0) },
            try history.place(after: place).flatMap { try restorable(from: $0) }
        )
    }

    /// The nearest record from a place backwards that can be restored.
    private func restorable(upTo place: History.Place) throws -> RecordHandle? {
        var place: History.Place? = place
        while let current = place {
            let handle = try history.record(at: current)
            if handle.record.kind != .gap, try history.isRestorable(at: current) { return handle }
            place = history.place(before: current)
        }
        return nil
    }

    /// The nearest commit or base from a place on that can be restored.
    private func restorable(from place: History.Place) throws -> RecordHandle? {
        var place: History.Place? = place
        while let current = place {
            let handle = try history.record(at: current)
            if ![.gap, .epoch].contains(handle.record.kind),
                try history.isRestorable(at: current)
            {
                return handle
            }
            place = history.place(after: current)
        }
        return nil
    }

    private func answer(_ moment: Timestamp, at place: History.Place) throws -> MomentAnswer {
        let handle = try history.record(at: place)
        let before = try restorable(upTo: place)
        if handle.record.kind != .gap, try !history.isRestorable(at: place) {
            let after = try history.place(after: place).flatMap { try restorable(from: $0) }
            return .between(
                before: before, after: after, history.why(isNotRestorable: handle))
        }
        guard let following = history.place(after: place) else {
            if handle.record.kind == .gap { return .between(before: before, after: nil, .gap) }
            guard moment == handle.record.seen.wall || !history.mayEndLater else {
                return .between(before: before, after: nil, .missing)
            }
            guard isKnown(moment, behind: handle.record) else {
                return .between(before: before, after: nil, .afterHistory)
            }
            return .point(RestorePoint(handle, next: nil))
        }
        let next = try solid(from: following)
        if moment == handle.record.seen.wall, handle.record.kind != .gap {
            return .point(RestorePoint(handle, next: next))
        }
        let after = try restorable(from: following)
        if handle.record.kind == .gap { return .between(before: before, after: after, .gap) }
        if history.isBroken(before: following) {
            return .between(before: before, after: after, .missing)
        }
        let follower = try history.record(at: following).record
        if follower.kind == .gap, moment > follower.notBefore {
            return .between(before: before, after: after, .gap)
        }
        if let next, moment > next.record.notBefore, next.record.isFarFromLook {
            return .between(before: before, after: after, .unseen)
        }
        return .point(RestorePoint(handle, next: next))
    }

    /// Whether the newest record's state is known to have been there still.
    private func isKnown(_ moment: Timestamp, behind record: Record) -> Bool {
        moment <= record.seen.wall || moment <= knownUntil ?? record.seen.wall
    }
}

extension Record {
    /// Whether more than a second passed between the look that found this state and the one before.
    package var isFarFromLook: Bool {
        notBefore.adding(nanoseconds: MomentSearch.closeNanoseconds) < seen.wall
    }
}

// All places at which the clock may have shown a moment.
extension MomentSearch {
    private func places(at moment: Timestamp) throws -> [History.Place] {
        var places: [History.Place] = []
        for number in history.runs.indices {
            let run = history.runs[number]
            if !run.summary.isOrdered {
                for index in run.range.dropLast() {
                    let place = History.Place(run: number, index: index)
                    if try shows(moment, place) { places.append(place) }
                }
            } else if run.summary.firstSeen <= moment, moment < run.summary.lastSeen {
                places.append(try place(of: moment, in: number))
            }
            let end = History.Place(run: number, index: run.range.upperBound - 1)
            if try mayShow(moment, behind: number), try shows(moment, end) { places.append(end) }
        }
        return places
    }

    /// The last record of an ordered run that was seen at or before a moment within it.
    private func place(of moment: Timestamp, in number: Int) throws -> History.Place {
        let run = history.runs[number]
        let records = try history.stream.records(of: run.segment)
        var (low, high) = (run.range.lowerBound, run.range.upperBound - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if records[middle].record.seen.wall <= moment {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return History.Place(run: number, index: low)
    }

    /// Whether the moment may lie between a run's last record and the next run's first.
    private func mayShow(_ moment: Timestamp, behind number: Int) throws -> Bool {
        let last = history.runs[number].summary.lastSeen
        guard number + 1 < history.runs.count else { return last <= moment }
        let next = history.runs[number + 1].summary.firstSeen
        return next < last || (last <= moment && moment < next)
    }

    /// Whether the clock may have shown a moment while the state of a place was there.
    private func shows(_ moment: Timestamp, _ place: History.Place) throws -> Bool {
        let record = try history.record(at: place).record
        guard let following = history.place(after: place) else { return record.seen.wall <= moment }
        let next = try history.record(at: following).record
        guard next.seen.wall < record.seen.wall else {
            return record.seen.wall <= moment && moment < next.seen.wall
        }
        guard record.seen.bootID == next.seen.bootID, record.seen.boot <= next.seen.boot else {
            let end = try caughtUp(after: following, past: record.seen.wall)
            return record.seen.wall <= moment && moment < end ?? .farFuture
        }
        let passed = Int64(clamping: next.seen.boot - record.seen.boot)
        return
            (record.seen.wall <= moment
            && moment < record.seen.wall.adding(nanoseconds: passed))
            || (next.seen.wall.adding(nanoseconds: -passed) <= moment && moment < next.seen.wall)
    }

    /// When a record was seen by which the clock had passed a moment again.
    private func caughtUp(
        after place: History.Place, past moment: Timestamp
    ) throws -> Timestamp? {
        for number in place.run..<history.runs.count {
            let run = history.runs[number]
            guard run.summary.latest > moment else { continue }
            let start = number == place.run ? place.index : run.range.lowerBound
            let records = try history.stream.records(of: run.segment)[start..<run.range.upperBound]
            if let found = records.first(where: { $0.record.seen.wall > moment }) {
                return found.record.seen.wall
            }
        }
        return nil
    }
}

extension Timestamp {
    fileprivate static let farFuture = Timestamp(seconds: .max, nanoseconds: 0)
}

extension History {
    /// Why the state of a record cannot be put together.
    package func why(isNotRestorable handle: RecordHandle) -> Doubt {
        handle.isForgotten || !hasHole && stream.hurt.isEmpty ? .forgotten : .missing
    }
}
