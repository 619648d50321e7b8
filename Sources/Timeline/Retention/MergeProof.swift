// A merged segment is read back before anything relies on it: every blob, every table against its
// hash, and for each merged record the state that now comes out against the one that came out
// before, page hash by page hash, with each merged body decoded.

import Codec
import Repository

/// Proves segments that were made by merging.
struct MergeProof {
    private let repository: Repository
    private let tools: Tools
    private let checkpoint: () throws -> Void

    init(in repository: Repository, checkpoint: @escaping () throws -> Void) {
        self.repository = repository
        self.checkpoint = checkpoint
        tools = Tools(repository, level: .fast)
    }

    /// - Parameter former: the stream without these segments.
    /// - Throws: `damaged` where a state is not the same as before.
    func check(_ names: [ObjectName], against former: Stream) throws {
        let now = try stream(former.identity.stream)
        for name in names {
            _ = try SegmentProof(reading: name, in: repository)
            let reader = try SegmentReader(name, in: repository, with: tools.opener)
            for handle in try reader.records() where handle.covered > 0 {
                try checkpoint()
                let path = try now.path(to: handle)
                guard path.segments.last == name else {
                    throw FormatError("record \(handle.position) is not found where it lies")
                }
                try compare(
                    path, with: former.path(to: handle), pages: pages(of: handle, reader))
            }
        }
    }

    /// Proves merged records of a segment by their whole states, where nothing older is left to
    /// hold them against.
    func checkWhole(_ name: ObjectName, of stream: [UInt8]) throws {
        _ = try SegmentProof(reading: name, in: repository)
        let recovery = try DatabaseRecovery(from: repository)
        let reader = try SegmentReader(name, in: repository, with: tools.opener)
        for handle in try reader.records() where handle.covered > 0 {
            try recovery.recoverInOrder(handle.reference(in: stream), with: tools) { _ in
                try checkpoint()
            }
        }
    }

    private func stream(_ id: [UInt8]) throws -> Stream {
        let marks = Set(try repository.place.list(.marks).map(\.name.name))
        guard let stream = try StreamIndex(of: repository, leavingOut: marks).streams[id] else {
            throw FormatError("the stream is gone")
        }
        return stream
    }

    private func pages(of handle: RecordHandle, _ reader: SegmentReader) throws -> [UInt32] {
        try reader.blobs(of: handle, kind: .pageTable).flatMap {
            try PageTable.decode(reader.read($0)).map(\.page)
        }
    }

    private func compare(
        _ path: RecordPath, with former: RecordPath, pages: [UInt32]
    ) throws {
        var new = try StateCursor(over: path, wantsBodies: true)
        var old = try StateCursor(over: former, wantsBodies: false)
        var next = 0
        while let plan = try new.next() {
            guard try old.next()?.hashes == plan.hashes else {
                throw FormatError("state \(new.record.position) has other pages than before")
            }
            let first = next
            while next < pages.count, plan.pages.contains(pages[next]) { next += 1 }
            guard next > first else { continue }
            _ = try plan.build(with: tools, only: Set(pages[first..<next]))
        }
        guard try old.next() == nil, next == pages.count else {
            throw FormatError("state \(new.record.position) has another size than before")
        }
    }
}
