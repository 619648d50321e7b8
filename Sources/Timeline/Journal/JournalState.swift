import Codec
import Platform
import Repository

/// A journal's parts and end, as they are changed by one thread at a time.
struct JournalState {
    private let directory: FilePath
    private let identity: StreamIdentity
    private let disk: any Disk
    private let partSize: UInt64
    /// Closed ones, oldest first, those that count for nothing too.
    private var parts: [JournalPart]
    private var open: (part: JournalPart, writer: PartWriter)?
    private var next: UInt64
    private var link: Digest
    private(set) var end: JournalEnd?
    private var doubt: (batch: Batch, run: BatchRun)?

    init(
        _ found: JournalContents, directory: FilePath, identity: StreamIdentity, disk: any Disk,
        partSize: UInt64
    ) {
        self.directory = directory
        self.identity = identity
        self.disk = disk
        self.partSize = partSize
        parts = found.parts
        next = found.next
        link = found.link
        end = found.end
        doubt = found.doubt
    }

    var bytes: UInt64 { parts.reduce(0) { $0 + $1.size } + (open?.part.size ?? 0) }
    var records: Int { parts.reduce(0) { $0 + $1.records } + (open?.part.records ?? 0) }

    /// Writes the batch that nothing vouches for once more.
    mutating func settle() throws {
        guard let doubt else { return }
        try write(doubt.batch, doubt.run)
        self.doubt = nil
    }

    /// Writes once more what is whole of a hurt part, and sets aside that part and those behind it.
    mutating func setAside(
        _ damage: JournalDamage, keeping rescued: [(batch: Batch, run: BatchRun)]
    ) throws -> [FilePath] {
        for (batch, run) in rescued { try write(batch, run) }
        return try setAside(damage.parts)
    }

    /// Sets aside all parts: what they hold continues nothing that is anywhere.
    mutating func setAsideAll() throws -> [FilePath] {
        close()
        let kept = try setAside(parts.filter { $0.records > 0 }.map(\.number))
        parts.removeAll { $0.records > 0 }
        end = nil
        return kept
    }

    /// The newest one first: as long as the first is there, a journal that is opened is hurt.
    private func setAside(_ numbers: [UInt64]) throws -> [FilePath] {
        var kept: [FilePath] = []
        for number in numbers.reversed() {
            let name = directory.appending(JournalName.hurt(number))
            try disk.renameExclusively(path(number), to: name)
            try disk.syncDirectory(directory)
            kept.append(name)
        }
        return kept.reversed()
    }

    mutating func append(_ changes: [ChangeSet]) throws {
        guard let first = changes.first, let end = try check(changes) else { return }
        let batch = Batch(changes)
        guard batch.bytes.count <= Batch.sizeLimit else {
            throw JournalError(
                .tooLarge, directory, "\(batch.bytes.count) bytes are too many for one append")
        }
        try write(
            batch,
            BatchRun(first: first.record.position, end: end, records: changes.count, upTo: 0))
    }

    /// Each change set is sound and continues the one before; answers the end after them.
    private func check(_ changes: [ChangeSet]) throws -> JournalEnd? {
        var last = end
        for change in changes {
            try change.check()
            let record = change.record
            if let last, !record.continues(last) {
                throw JournalError(
                    .outOfOrder, directory,
                    "record \(record.position) does not continue \(last.position)")
            }
            last = JournalEnd(of: record)
        }
        return last
    }

    private mutating func write(_ batch: Batch, _ run: BatchRun) throws {
        var batch = batch
        if let open, open.part.size >= partSize { close() }
        do {
            try writeOnce(&batch, run)
        } catch is FailedSync {
            // The system dropped what it could not write: a second sync would prove nothing.
            do {
                try writeOnce(&batch, run)
            } catch let failure as FailedSync {
                throw failure.reason
            }
        }
    }

    private struct FailedSync: Error {
        let reason: any Error
    }

    private mutating func writeOnce(_ batch: inout Batch, _ run: BatchRun) throws {
        if open == nil { try begin(withBatch: true, after: end) }
        guard var (part, writer) = open else { preconditionFailure("no part is open") }
        do {
            try writer.write(&batch)
        } catch {
            abandon(with: UInt64(batch.bytes.count))
            throw error
        }
        do {
            link = try writer.sync(batch)
        } catch {
            abandon(with: UInt64(batch.bytes.count))
            throw FailedSync(reason: error)
        }
        part.count(
            first: run.first, last: run.end.position, records: run.records, upTo: writer.size)
        open = (part, writer)
        end = run.end
    }

    /// Makes the next part, durable, and opens it.
    private mutating func begin(withBatch: Bool, after end: JournalEnd?) throws {
        let head = PartHead(
            number: next, beginsWithBatch: withBatch, link: link, end: end, identity: identity)
        do {
            let writer = try PartWriter(head, in: directory, on: disk)
            open = (
                JournalPart(
                    number: next, size: writer.size, counted: writer.size, isWhole: !withBatch),
                writer
            )
            next += 1
        } catch let failure as PartWriter.Unmade {
            if !failure.isGone { leave(next) }
            throw failure.reason
        }
    }

    /// What is left of a part that could not be made keeps its number.
    private mutating func leave(_ number: UInt64) {
        parts.append(JournalPart(number: number, size: 0, counted: 0, isWhole: false))
        next += 1
    }

    private mutating func close() {
        guard let open else { return }
        parts.append(open.part)
        self.open = nil
    }

    /// Gives up the open part after a failure; one that counts for nothing is removed if that is
    /// possible and another one tells where the journal ends.
    private mutating func abandon(with bytes: UInt64) {
        guard var (part, _) = open else { return }
        open = nil
        part.size += bytes
        if part.records == 0, parts.contains(where: \.isWhole),
            (try? disk.remove(path(part.number))) != nil
        {
            return
        }
        parts.append(part)
    }

    mutating func resume(after end: JournalEnd) throws {
        guard end != self.end else { return }
        close()
        try begin(withBatch: false, after: end)
        self.end = end
    }

    mutating func rotate() -> [JournalPart] {
        if let open, open.part.records > 0 { close() }
        return parts.filter { $0.records > 0 }
    }

    mutating func remove(_ number: UInt64) throws {
        guard let index = parts.firstIndex(where: { $0.number == number }),
            !parts[..<index].contains(where: { $0.records > 0 })
        else {
            throw JournalError(
                .outOfOrder, path(number), "it is not the oldest part that is closed")
        }
        if open == nil, !parts[(index + 1)...].contains(where: { $0.records > 0 }) {
            try begin(withBatch: false, after: end)
        }
        for part in parts[...index] {
            try remove(path(part.number))
            parts.removeFirst()
        }
    }

    private func remove(_ path: FilePath) throws {
        do {
            try disk.remove(path)
        } catch {
            // Gone already where only the sync failed that should have made it so.
            guard error.errno == .noSuchFile else { throw error }
        }
        try disk.syncDirectory(directory)
    }

    private func path(_ number: UInt64) -> FilePath {
        directory.appending(JournalName.part(number))
    }
}

extension Record {
    /// Whether the record may come behind another in a journal.
    fileprivate func continues(_ last: JournalEnd) -> Bool {
        if kind == .epoch {
            return position.epoch > last.position.epoch && start <= last.position
                && position.sequence > start.sequence
                && (start != last.position || previous == last.chain)
        }
        return previous == last.chain
            && position
                == Position(epoch: last.position.epoch, sequence: last.position.sequence + 1)
    }
}
