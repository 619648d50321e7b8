// Compaction: outside the window, the states between those that are kept are forgotten.
//
//     1  write the segments of a line anew: kept records merged, forgotten ones as hash and header
//     2  publish them, which makes them durable
//     3  read them back, each merged state held against the one before
//     4  what the old segments held beside that is needed by nothing now: prune marks them
//
// Nothing is removed here. What cannot be proved is marked itself, so that the old segments count
// on, and said. What a crash leaves is proved by the next run before it counts.

import Codec
package import Platform
package import Repository

/// What a compaction did, or would do.
package struct CompactionReport: Sendable {
    /// Segments and bytes that are written anew, and that came of it.
    package var read = 0
    package var readBytes: UInt64 = 0
    package var written = 0
    package var writtenBytes: UInt64 = 0
    /// Records whose states are forgotten.
    package var forgotten = 0
    /// Bytes that are dropped at most.
    package var gain: UInt64 = 0
    /// Databases of which something could not be merged, with the reason.
    package var failures: [(path: FilePath, reason: any Error)] = []

    package init() {}
}

/// Merges what nobody keeps.
package struct StreamCompactor {
    private let repository: Repository
    private let checkpoint: () throws -> Void
    private var report = CompactionReport()

    package init(_ repository: Repository, checkpoint: @escaping () throws -> Void) {
        self.repository = repository
        self.checkpoint = checkpoint
    }

    /// What a run would do.
    package static func plan(_ needs: StreamNeeds) throws -> CompactionReport {
        var report = CompactionReport()
        for keeping in needs.keepings {
            for job in try MergePlan(of: keeping).jobs { report.add(job) }
        }
        return report
    }

    /// Merges under a lease; afterwards what is needed must be found anew.
    package mutating func run(
        _ needs: StreamNeeds, under lease: HeldLease
    ) throws -> CompactionReport {
        for keeping in needs.keepings {
            guard try proveLeftovers(of: keeping, needs, lease) else { continue }
            for job in try MergePlan(of: keeping).jobs { try run(job, lease) }
        }
        return report
    }

    private mutating func run(_ job: MergeJob, _ lease: HeldLease) throws {
        let merger = SegmentMerger(job, in: repository, under: lease, checkpoint: checkpoint)
        do {
            try asDamage { try merger.run() }
            try asDamage {
                try MergeProof(in: repository, checkpoint: checkpoint)
                    .check(merger.made.map(\.name), against: job.stream)
            }
        } catch let error as RepositoryError where [.damaged, .absent].contains(error.code) {
            try giveUp(merger.made.map(\.name), lease)
            report.failures.append((job.stream.path, error))
            return
        }
        report.add(job)
        report.written += merger.made.count
        report.writtenBytes += merger.made.reduce(0) { $0 + $1.size }
    }

    /// Proves merged segments beside which others with the same records still lie unneeded: whoever
    /// made them may not have come to that.
    ///
    /// - Returns: false where something was not what it should be, and is marked now.
    private mutating func proveLeftovers(
        of keeping: StreamKeeping, _ needs: StreamNeeds, _ lease: HeldLease
    ) throws -> Bool {
        let summaries = try keeping.stream.summaries()
        let unneeded = summaries.indices.filter { keeping.needed[$0] == nil }
        for segment in keeping.needed.keys.sorted() where summaries[segment].forgotten > 0 {
            let sequences = summaries[segment].sequences
            guard unneeded.contains(where: { summaries[$0].sequences.overlaps(sequences) })
            else { continue }
            let name = try keeping.stream.name(of: summaries[segment])
            do {
                try asDamage {
                    try MergeProof(in: repository, checkpoint: checkpoint)
                        .checkWhole(name, of: keeping.stream.identity.stream)
                }
            } catch let error as RepositoryError where error.code == .damaged {
                try giveUp([name], lease)
                report.failures.append((keeping.stream.path, error))
                return false
            }
        }
        return true
    }

    /// Marks segments that must not count; the ones they were made of stay.
    private func giveUp(_ names: [ObjectName], _ lease: HeldLease) throws {
        for name in names {
            try lease.check()
            do {
                try repository.place.create(
                    ObjectName(.marks, name.name), ControlFile(kind: "mark", fields: []).encoded)
            } catch let error as RepositoryError where error.code == .exists {
                continue
            }
        }
    }

    private func asDamage(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as FormatError {
            throw RepositoryError(
                .damaged, "\(error)", hint: "Run 'holdfast verify --read-data' to see what is hurt."
            )
        }
    }
}

extension CompactionReport {
    fileprivate mutating func add(_ job: MergeJob) {
        read += job.segments.count
        readBytes += job.bytes
        forgotten += job.forgotten
        gain += job.gain
    }
}
