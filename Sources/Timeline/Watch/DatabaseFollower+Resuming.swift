// Goes on where an earlier capture ended, although no reader was held since.
//
// The log must begin with what was captured, and the database's file must hold nothing newer: the
// versions before the next commits are read from it. A checkpoint that went, or began to go, behind
// the mark shows in the wal-index; but a recovery, which the first to open a database after a crash
// runs, forgets it. So there must have been none, and that shows in the wal-index's count of
// commits: a recovery sets it to 0, each commit adds 1, and nothing else changes it. Let the count
// at the mark be above 0, and let a recovery have run behind it, within the same boot: what was
// written was there, so it found all commits up to the mark. Then it has counted no more commits
// than the log holds behind the mark, which is less than the count at the mark and those.

import Platform
import Repository
import SQLite

extension DatabaseFollower {
    /// Commits between the mark and the state that the first reader after it holds.
    struct Arrears {
        let after: UInt32
        let to: UInt32
    }

    /// Goes on at the mark of an earlier capture; nil where a comparison is needed.
    convenience init?(
        _ reader: DatabaseReader, at end: CapturedEnd, resuming mark: CaptureMark, world: World,
        portion: LogPortion = LogPortion()
    ) throws {
        let head = try reader.head().head
        let log = mark.identity.log
        guard log.lastFrame > 0, head.salts == log.salts, head.lastFrame >= log.lastFrame,
            mark.bootID == world.process.bootID, mark.commits > 0,
            try reader.touchedFrames() <= log.lastFrame,
            mark.identity.pageSize == reader.pageSize
        else { return nil }
        let file = try reader.files().log
        // From the mark on it counts as the wal-index did.
        var tail = LogTail(of: head, pageSize: reader.pageSize, after: 0)
        var versions = PageVersions(
            [], pageCount: end.pageCount, pageSize: reader.pageSize, areAlone: false)
        guard try tail.skip(to: log, in: file, noting: { versions.apply($0) }) else { return nil }
        tail.count(as: mark.commits)
        var ahead = tail
        guard try ahead.advance(to: head.state, in: file, noting: { _ in }),
            head.commits >= mark.commits, ahead.commits == head.commits
        else { return nil }
        self.init(reader, at: end, behind: tail, versions, world, portion)
        arrears = Arrears(after: log.lastFrame, to: head.lastFrame)
    }

    /// What a later capture needs to know to go on here.
    func mark() throws -> CaptureMark {
        CaptureMark(
            chain: end.chain, identity: try identity(), commits: tail.commits,
            bootID: world.process.bootID)
    }

    /// The reader that is held keeps nobody from copying commits that are not captured yet, which
    /// are older than it: where that began, the versions before may be lost, and what was read of
    /// them means nothing.
    func proveArrears() throws {
        guard let arrears else { return }
        guard try held.touchedFrames() <= arrears.after else {
            throw CaptureError(
                .changedWhileReading, path, "a checkpoint ran while it was caught up with")
        }
        if tail.frame >= arrears.to { self.arrears = nil }
    }
}
