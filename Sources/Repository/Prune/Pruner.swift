// Prune: frees what nothing kept needs, while others read and write.
//
//     0  write anew what is to be kept in less room: survey → copies, read back → survey
//     1  delete what earlier runs marked:   leases → survey → rescue → delete → marks away
//     2  mark what this survey leaves over: copy what is needed → marks
//     3  delete it at once where no lease hinders, else in a later run (as 1)
//
// Invariants, of which no one depends on a clock:
// - What is needed of a file is copied, durably, before the file is marked.
// - A file is deleted only when each lease of a listing made after its mark was durable has ended,
//   was revoked, or honours the mark, and a survey made after that listing finds each needed blob
//   in a pack that is not marked.
// - A mark is never withdrawn: what of a marked file is needed after all is copied first.
// - A mark goes after the deletion of its file is durable.
// So prune may be cut off, stopped for an hour, or run twice at once, at any step: what it copied
// lies there twice, what it marked is deleted by the next run.

/// Deletes what nothing kept needs.
package final class Pruner {
    private let repository: Repository
    private let lease: HeldLease?
    private let survey: () throws -> KeptObjects
    private let compact: () throws -> Bool
    private let checkpoint: () throws -> Void
    private var report = PruneReport()
    private var hurt: Set<String> = []

    /// - Parameters:
    ///   - lease: nil for a dry run only.
    ///   - survey: lists what is kept, then refreshes the catalogue, then finds what that needs.
    ///   - compact: called once something was surveyed, before anything is decided: writes anew
    ///     what can be kept in less room, and says whether to survey again.
    ///   - checkpoint: called between steps; what it throws ends the run.
    package init(
        _ repository: Repository, under lease: HeldLease?,
        survey: @escaping () throws -> KeptObjects,
        compact: @escaping () throws -> Bool = { false },
        checkpoint: @escaping () throws -> Void
    ) {
        self.repository = repository
        self.lease = lease
        self.survey = survey
        self.compact = compact
        self.checkpoint = checkpoint
    }

    /// What a run would do.
    package func plan(_ limit: UnusedLimit) throws -> PruneReport {
        let kept = try survey()
        _ = try decide(kept, limit)
        return report
    }

    /// Prunes; `announce` gets the plan before anything is changed.
    package func run(
        _ limit: UnusedLimit, announce: (PruneReport) -> Void
    ) throws -> PruneReport {
        guard let lease else { preconditionFailure("prune without a lease") }
        let old = try markedNames()
        let leases = try livingLeases()
        var kept = try survey()
        if try compact() { kept = try survey() }
        let plan = try decide(kept, limit)
        announce(report)
        try rescue(kept, lease)
        try delete(leases.cleared(old))
        let new = try empty(plan, kept, lease)
        try mark(new, lease)
        try deleteAtOnce(new, kept, lease)
        try count(lease)
        return report
    }

    // MARK: Deciding

    private struct Decision {
        let packs: PrunePlan
        let segments: [StoredFile]
    }

    private func decide(_ kept: KeptObjects, _ limit: UnusedLimit) throws -> Decision {
        let packs = Set(repository.listedPacks.map(\.name))
        let writers = try LivingLeases(
            besides: lease?.id, in: repository, revokes: false
        ).writers
        let fresh = try repository.catalogue.fresh(among: packs, writers: writers)
        let survey = try PackSurvey(repository, kept.blobs, fresh: fresh)
        let marks = repository.marks
        let segments = try repository.place.list(.segments)
        let unneeded = segments.filter {
            kept.unneededSegments.contains($0.name) && !marks.contains($0.name.name)
        }.sorted { $0.name < $1.name }.prefix(max(0, HonouredMarks.limit - marks.count))
        let plan = PrunePlan(
            for: survey.packs, limit: limit,
            budget: max(0, HonouredMarks.limit - marks.count - unneeded.count))
        report.missing = try kept.blobs.missing()
        describe(survey, plan, segments, Array(unneeded))
        return Decision(packs: plan, segments: Array(unneeded))
    }

    private func describe(
        _ survey: PackSurvey, _ plan: PrunePlan, _ segments: [StoredFile],
        _ unneeded: [StoredFile]
    ) {
        let marks = repository.marks
        for pack in survey.packs {
            report.stored.add(pack.size)
            if pack.isMarked { report.marked.add(pack.size) }
            if pack.isFresh, pack.needed == 0 { report.fresh.add(pack.size) }
        }
        for segment in segments {
            report.stored.add(segment.size)
            if marks.contains(segment.name.name) { report.marked.add(segment.size) }
        }
        for pack in plan.dropped { report.dropped.add(pack.size) }
        for segment in unneeded { report.dropped.add(segment.size) }
        for pack in plan.emptied {
            report.emptied.add(pack.size)
            report.copied += pack.needed
        }
        report.copied += survey.stranded.reduce(0) { $0 + UInt64($1.entry.header.span) }
        report.unusedKept = plan.unusedKept
    }

    // MARK: Copying

    /// Copies what is needed and lies in marked files only.
    private func rescue(_ kept: KeptObjects, _ lease: HeldLease) throws {
        let marks = repository.marks
        let copier = BlobCopier(in: repository, under: lease)
        for segment in kept.segments.sorted() where marks.contains(segment.name) {
            try checkpoint()
            try copier.copy(segment: segment)
        }
        let stranded = try PackSurvey.onlyIn(
            Set(repository.listedPacks.filter { marks.contains($0.name) }.map(\.number)),
            repository, kept.blobs)
        try keep(copier.copy(stranded, checkpoint: checkpoint))
    }

    /// Copies what is needed of the packs to go; answers which files may be marked.
    private func empty(
        _ decision: Decision, _ kept: KeptObjects, _ lease: HeldLease
    ) throws -> [ObjectName] {
        let packs = decision.packs.dropped + decision.packs.emptied
        let going = Set(packs.map(\.pack))
        let needed = try PackSurvey.onlyIn(going, repository, kept.blobs)
        let copier = BlobCopier(in: repository, under: lease)
        try keep(copier.copy(needed, checkpoint: checkpoint))
        return packs.filter { !hurt.contains($0.name) }.map { ObjectName(.packs, $0.name) }
            + decision.segments.map(\.name)
    }

    /// Packs of which something needed could not be read stay as they are.
    private func keep(_ failures: [Int64: any Error]) throws {
        let names = Dictionary(
            uniqueKeysWithValues: repository.listedPacks.map { ($0.number, $0.name) })
        for (number, reason) in failures.sorted(by: { $0.key < $1.key }) {
            guard let name = names[number], hurt.insert(name).inserted else { continue }
            report.hurt.append((name, reason))
        }
    }

    // MARK: Marking and deleting

    private func markedNames() throws -> Set<String> {
        Set(try repository.place.list(.marks).map(\.name.name))
    }

    private func livingLeases() throws -> LivingLeases {
        try LivingLeases(besides: lease?.id, in: repository, revokes: true)
    }

    private func mark(_ files: [ObjectName], _ lease: HeldLease) throws {
        let content = ControlFile(kind: "mark", fields: []).encoded
        for file in files.sorted() {
            try checkpoint()
            try lease.check()
            do {
                try repository.place.create(ObjectName(.marks, file.name), content)
            } catch let error as RepositoryError where error.code == .exists {
                continue  // another prune came to the same conclusion
            }
        }
    }

    private func deleteAtOnce(
        _ files: [ObjectName], _ kept: KeptObjects, _ lease: HeldLease
    ) throws {
        let names = Set(files.map(\.name))
        let cleared = try livingLeases().cleared(names)
        guard !cleared.isEmpty else { return }
        var kept = kept
        if try KeptObjects.list(in: repository.place) == kept.listing {
            try repository.refresh()
        } else {
            kept = try survey()
        }
        try rescue(kept, lease)
        try delete(cleared)
    }

    /// Deletes marked files that no lease hinders and of which nothing is needed any more; their
    /// marks go once that is durable.
    private func delete(_ cleared: Set<String>) throws {
        guard let lease, !cleared.isEmpty else { return }
        try lease.check()
        let place = repository.place
        var files: [StoredFile] = []
        for folder in [Folder.packs, .segments] {
            files += try place.list(folder).filter {
                cleared.contains($0.name.name) && !hurt.contains($0.name.name)
            }
        }
        try place.remove(files.map(\.name).sorted())
        for file in files { report.deleted.add(file.size) }
        // Where a file is gone already its removal may not be durable yet.
        for folder in [Folder.packs, .segments] { try place.settle(folder) }
        try place.remove(cleared.subtracting(hurt).sorted().map { ObjectName(.marks, $0) })
        try repository.refresh()
    }

    private func count(_ lease: HeldLease) throws {
        let marks = try markedNames()
        for folder in [Folder.packs, .segments] {
            for file in try repository.place.list(folder) where marks.contains(file.name.name) {
                report.waiting.add(file.size)
            }
        }
        report.holders = try livingLeases().hindering(marks)
    }
}
