import Codec
import Repository

/// Writes the segments of a job anew, forgetting what is not kept; used by one thread.
final class SegmentMerger {
    /// A segment that has as many bytes or records is complete, behind a record that is kept.
    private static let segmentBytes: UInt64 = 64 << 20
    private static let segmentRecords = 1 << 16

    private let job: MergeJob
    private let repository: Repository
    private let lease: HeldLease
    private let checkpoint: () throws -> Void
    private let tools: Tools
    /// Records since the last that is kept.
    private var pending: [RecordHandle] = []
    private var open: (segment: SegmentWriter, records: Int)?
    private var reader: SegmentReader?
    private(set) var made: [FinishedPack] = []

    init(
        _ job: MergeJob, in repository: Repository, under lease: HeldLease,
        checkpoint: @escaping () throws -> Void
    ) {
        self.job = job
        self.repository = repository
        self.lease = lease
        self.checkpoint = checkpoint
        tools = Tools(repository, level: .fast)
    }

    /// Writes and publishes; durable when it returns, and not read back.
    func run() throws {
        var number = 0
        for summary in job.segments {
            for handle in try job.stream.records(of: summary) {
                try checkpoint()
                try add(handle, isKept: job.isKept[number])
                number += 1
            }
        }
        try finishPending()
        try publish()
    }

    private func add(_ handle: RecordHandle, isKept: Bool) throws {
        guard isKept else {
            pending.append(handle)
            return
        }
        if pending.contains(where: \.hasPages) {
            try merge(into: handle)
        } else {
            try copy(pending + [handle])
            pending = []
        }
        let records = open?.records ?? 0
        if try segment().size >= Self.segmentBytes || records >= Self.segmentRecords {
            try publish()
        }
    }

    /// What lies behind the last record that is kept: a tail that nothing continues is forgotten.
    private func finishPending() throws {
        if job.isTail, pending.contains(where: \.hasPages) {
            try forget(pending)
        } else {
            try copy(pending)
        }
        pending = []
    }

    private func segment() throws -> SegmentWriter {
        if let open { return open.segment }
        try lease.check()
        let segment = try SegmentWriter(of: job.stream.identity, in: repository, under: lease)
        open = (segment, 0)
        return segment
    }

    private func count(_ records: Int) {
        open?.records += records
    }

    private func merge(into handle: RecordHandle) throws {
        guard let first = pending.first, let before = try job.stream.record(before: first) else {
            throw FormatError("record \(handle.position) leads to a record that is missing")
        }
        let (earlier, later) = (
            try job.stream.path(to: before), try job.stream.path(to: handle)
        )
        try forget(pending)
        var merge = StateMerge(with: tools)
        try merge.write(from: earlier, to: later, covering: pending.count, into: segment())
        count(1)
        pending = []
    }

    private func forget(_ records: [RecordHandle]) throws {
        for start in stride(from: 0, to: records.count, by: ForgottenRecords.limit) {
            let part = records[start..<min(records.count, start + ForgottenRecords.limit)]
            try segment().append(
                ForgottenRecords.encode(part.map(\.record)[...]), kind: .forgottenRecords)
            count(part.count)
        }
    }

    /// Copies records as they are.
    private func copy(_ records: [RecordHandle]) throws {
        var forgotten: [RecordHandle] = []
        for handle in records {
            if handle.isForgotten {
                forgotten.append(handle)
                continue
            }
            try forget(forgotten)
            forgotten = []
            try copy(handle)
        }
        try forget(forgotten)
    }

    private func copy(_ handle: RecordHandle) throws {
        let source = try reader(of: handle.segment)
        for index in handle.firstEntry...handle.entry {
            try segment().append(source.read(index), kind: source.entries[index].header.kind)
        }
        count(1)
    }

    private func reader(of name: ObjectName) throws -> SegmentReader {
        if let reader, reader.pack.name == name { return reader }
        let found = try SegmentReader(name, in: repository, with: tools.opener)
        reader = found
        return found
    }

    private func publish() throws {
        guard let (segment, _) = open else { return }
        open = nil
        let pending = try segment.finish()
        try pending.publish(in: repository, under: lease)
        made.append(pending.pack)
    }
}

extension RecordHandle {
    /// Whether forgetting the record needs a merge.
    fileprivate var hasPages: Bool { record.kind == .commit && !isForgotten }
}
