import Codec
package import Platform
import Synchronization

/// The local, fsynced tail of one stream; its format and invariants stand in JournalFormat.swift.
///
/// Any thread may use it: appends are made one after another, parts that are closed are read and
/// removed meanwhile. One process at a time has a journal open, for as long as the object lives.
package final class Journal: Sendable {
    /// Bytes past which the next append begins a new part.
    package static let partSize: UInt64 = 16 << 20

    package let directory: FilePath
    package let identity: StreamIdentity
    private let disk: any Disk
    private let lock: any DiskLock
    private let state: Mutex<JournalState>
    /// What was hurt, and was set aside when the journal was opened.
    package let loss: JournalLoss?

    /// Opens the journal, and makes it where there is none; its parent directory must exist.
    ///
    /// - Parameters:
    ///   - setsAsideDamage: goes on behind the last batch that is whole where one is hurt; the
    ///     files that are hurt, or lie behind that, get other names.
    ///   - known: damage that was found while the journal was open.
    /// - Throws: `locked`, `damaged`, `anotherStream`; what the disk throws, as where it is full
    ///   and the last batch cannot be written once more.
    package init(
        in directory: FilePath, of identity: StreamIdentity, on disk: any Disk,
        partSize: UInt64 = Journal.partSize, setsAsideDamage: Bool = false,
        known: JournalError? = nil
    ) throws {
        self.directory = directory
        self.identity = identity
        self.disk = disk
        if try disk.entry(at: directory) == nil { try disk.makeDirectory(directory) }
        // Each time: who made the directory may have died before its name was durable.
        try disk.syncDirectory(directory.parent)
        lock = try Journal.lock(directory, on: disk)
        let found = try JournalContents(
            in: directory, of: identity, on: disk, leavesOutDamage: setsAsideDamage, known: known)
        var state = JournalState(
            found, directory: directory, identity: identity, disk: disk, partSize: partSize)
        try state.settle()
        loss = try found.damage.map {
            JournalLoss(
                reason: "\($0.reason)", kept: try state.setAside($0, keeping: found.rescued))
        }
        self.state = Mutex(state)
    }

    private static func lock(_ directory: FilePath, on disk: any Disk) throws -> any DiskLock {
        do {
            return try disk.lock(directory.appending(JournalName.lock))
        } catch {
            guard error.errno == .wouldBlock else { throw error }
            throw JournalError(
                .locked, directory, "another process has it open",
                hint: "One 'holdfast watch' or 'node' at a time records a database.")
        }
    }

    /// The last durable record, or what the next one has to continue; nil while nobody said.
    package var end: JournalEnd? { state.withLock { $0.end } }

    /// Bytes on disk.
    package var bytes: UInt64 { state.withLock { $0.bytes } }

    /// Records that are in the journal.
    package var records: Int { state.withLock { $0.records } }

    /// Appends change sets as one batch, with one sync: durable when this returns.
    ///
    /// After an error the journal is as it was and can be used; whether the batch is found when it
    /// is opened anew, unless something was appended since, is open.
    ///
    /// - Throws: `outOfOrder` where a record does not continue the one before; `FormatError` where
    ///   a change set contradicts itself; what the disk throws.
    package func append(_ changes: [ChangeSet]) throws {
        guard !changes.isEmpty else { return }
        try state.withLock { try $0.append(changes) }
    }

    /// Says what the next record continues, where that is not the journal's last one: a base was
    /// written to the repository, or somebody else appended there. Durable when this returns.
    package func resume(after end: JournalEnd) throws {
        try state.withLock { try $0.resume(after: end) }
    }

    /// Closes the open part; answers all closed parts that hold records, oldest first.
    package func rotate() -> [JournalPart] {
        state.withLock { $0.rotate() }
    }

    /// Calls with the change sets of a closed part, in order, one batch in memory at a time.
    ///
    /// - Throws: `damaged`; what `body` throws.
    package func changeSets(in part: JournalPart, _ body: (ChangeSet) throws -> Void) throws {
        let path = directory.appending(JournalName.part(part.number))
        guard var reader = try PartReader(part.number, in: directory, of: identity, on: disk)
        else { throw JournalError.damage(path, "its head is hurt") }
        while reader.offset < part.counted {
            guard let batch = try reader.next() else {
                throw JournalError.damage(path, "the batch at byte \(reader.offset) is hurt")
            }
            var changes: [ChangeSet] = []
            do {
                try batch.forEach { changes.append($0) }
            } catch let error as FormatError {
                throw JournalError.damage(path, "\(error)")
            }
            for change in changes { try body(change) }
        }
    }

    /// Sets aside all records: they continue one that the repository does not have.
    package func setAsideAll(because error: JournalError) throws -> JournalLoss {
        JournalLoss(reason: "\(error)", kept: try state.withLock { try $0.setAsideAll() })
    }

    /// Removes the oldest part, once its records were read back from a segment; durable when this
    /// returns.
    ///
    /// - Throws: `outOfOrder` where an older part with records is left; what the disk throws.
    package func remove(_ part: JournalPart) throws {
        try state.withLock { try $0.remove(part.number) }
    }
}
