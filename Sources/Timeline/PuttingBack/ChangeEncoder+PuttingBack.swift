import Codec
import Repository
import SQLite

extension ChangeEncoder {
    /// What is recorded instead of a commit by which a restore put the expected state back: the
    /// epoch that begins there, and page 1, whose schema cookie differs. Nil for any other commit.
    ///
    /// Called with the newest commit that was encoded. The epoch before has not got it, and answers
    /// until then.
    mutating func putBack(
        by change: ChangeSet, from files: (database: PagerFile, log: PagerFile), _ tail: LogTail
    ) throws -> [ChangeSet]? {
        guard let state = expected, change.entries.first?.page == 1, let firstPage,
            state.isIn(
                end.root, firstPage: firstPage, pageCount: change.record.pageCount,
                pageSize: change.record.pageSize)
        else { return nil }
        expected = nil
        var epoch = state.epoch(after: change.record.position.epoch, seen: change.record.seen)
        epoch.notBefore = change.record.notBefore
        let begun = ChangeSet(record: epoch, entries: [], bodies: [])
        guard epoch.stateRoot != end.root.digest else {
            goOn(behind: epoch)
            return [begun]
        }
        let bytes = try currentFirstPage(from: files, tail)
        var record = change.record
        let entry = PageTableEntry(
            page: 1, hash: change.entries[0].hash, codec: .stored, length: bytes.count)
        record.position = epoch.position.next
        record.notBefore = epoch.seen.wall
        record.previous = epoch.chain
        record.tableHash = [entry].hash
        record.tableCount = 1
        goOn(behind: record)
        return [begun, ChangeSet(record: record, entries: [entry], bodies: bytes)]
    }
}
