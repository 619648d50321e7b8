import Codec
import Platform
import Repository
import Timeline

/// How a record of a stream is told of, to people and to programs.
struct RestorePointText {
    let zone: LocalZone

    /// To the nanosecond: a time that was cut would name the commit before.
    func time(_ moment: Timestamp) -> String {
        TimeText.shown(moment, in: zone, precision: .nanoseconds)
    }

    /// `1/1234 of 2026-03-01 12:00:00.250000000 +01:00`
    func shown(_ handle: RecordHandle) -> String {
        let record = handle.record
        let text = "\(record.position) of \(time(record.seen.wall))"
        guard record.isFarFromLook else { return text }
        return text + " (it came to be after \(time(record.notBefore)))"
    }

    static func word(_ record: Record) -> String {
        switch record.kind {
        case .commit: record.isCompared ? "compared" : "commit"
        case .base: "base"
        case .gap: "gap"
        case .epoch: "epoch"
        case .tree: "tree"
        }
    }

    static func word(_ cause: Record.Cause) -> String {
        switch cause {
        case .none: "unknown"
        case .wentBack: "went_back"
        case .restored: "restored"
        case .promoted: "promoted"
        }
    }

    static func sentence(_ cause: Record.Cause) -> String {
        switch cause {
        case .none: "for no recorded cause"
        case .wentBack: "the database went back"
        case .restored: "the database was restored"
        case .promoted: "another node took over"
        }
    }

    /// What programs are told of a record.
    func json(_ handle: RecordHandle, as type: String? = nil) -> JSONLine {
        let record = handle.record
        var line = type.map { JSONLine($0) } ?? JSONLine()
        line.add("position", "\(record.position)")
        line.add("time", TimeText.rfc3339(record.seen.wall, in: zone))
        line.add("not_before", TimeText.rfc3339(record.notBefore, in: zone))
        line.add("kind", RestorePointText.word(record))
        line.add("compared", record.isCompared)
        line.add("cut", record.isCut)
        line.add("changed_pages", UInt64(record.tableCount))
        line.add("page_size", UInt64(record.pageSize))
        line.add("pages", UInt64(record.pageCount))
        line.add("stored_bytes", handle.storedBytes)
        line.add("chain", handle.chain.hex)
        if record.kind == .epoch {
            line.add("cause", RestorePointText.word(record.cause))
            line.add("start", "\(record.start)")
        }
        return line
    }
}
