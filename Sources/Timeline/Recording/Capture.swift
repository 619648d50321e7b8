import Codec
import Platform
import Repository

/// Reads one state of a database into a spool of page group outcomes.
final class Capture {
    let reader: DatabaseReader
    let geometry: PageGeometry
    /// Whether a complete base is recorded, instead of changes.
    let isBase: Bool
    private(set) var spool: OutcomeSpool
    private(set) var pageCount: UInt32 = 0
    private(set) var fingerprint: [UInt8] = []
    private(set) var seen: Record.Moment
    /// What page 1 adds to the state root.
    private(set) var firstPage = Digest.zero
    /// What of the stream could not be read; then a complete base has to be recorded.
    private let history = FirstFailure()
    private let previous: RecordPath?
    private let repository: Repository
    private let store: BlobStore
    private let progress: () -> Void

    /// - Parameter previous: the records from a base to the stream's end; nil or empty for none.
    init(
        reader: DatabaseReader, previous: RecordPath?, repository: Repository, store: BlobStore,
        scratch: FilePath, progress: @escaping () -> Void
    ) throws {
        self.progress = progress
        self.reader = reader
        self.repository = repository
        self.store = store
        geometry = PageGeometry(pageSize: reader.pageSize)
        let isContinued =
            previous.map { $0.count < DatabaseRecorder.pathLimit } ?? false
            && previous?.last?.record.pageSize == reader.pageSize
        isBase = !isContinued
        self.previous = previous
        spool = try OutcomeSpool(in: scratch, groups: 0)
        seen = repository.world.moment
    }

    /// Whether the state is the recorded one, which can be brought back.
    func isUnchanged(since record: Record) -> Bool {
        previous?.last != nil && record.pageSize == geometry.pageSize
            && record.pageCount == pageCount && spool.root.digest == record.stateRoot
    }

    /// Reads the state; throws `damaged` where what it would lean on cannot be read any more.
    func run() throws {
        try read()
        try history.check()
    }

    private func read() throws {
        switch reader.journalMode {
        case .wal:
            try reader.withSnapshot { view in
                seen = repository.world.moment
                try record(view, onlyChanged: false)
                try store.pool.drain()
            }
        case .rollback:
            let before = try reader.withoutLock { view in
                try record(view, onlyChanged: false)
                try store.pool.drain()
                return view.identity
            }
            try reader.withSnapshot { view in
                seen = repository.world.moment
                guard view.identity != before else { return }
                try record(view, onlyChanged: true)
            }
            try store.pool.drain()
        }
    }

    /// Hands each page group of a view to the pool; with `onlyChanged`, those whose pages are not
    /// what the last look at them saw.
    private func record(_ view: DatabaseView, onlyChanged: Bool) throws {
        pageCount = view.pageCount
        fingerprint = view.identity.encoded
        spool.resize(groups: geometry.groupCount(pages: pageCount))
        var cursor =
            try isBase ? nil : previous.map { try StateCursor(over: $0, wantsBodies: true) }
        for group in 0..<geometry.groupCount(pages: pageCount) {
            progress()
            let plan = try cursor?.next()
            let reading = try GroupReading(group, of: view)
            if group == 0 { firstPage = reading.firstPageContribution(with: Hasher256()) }
            try store.pool.submit(bytes: reading.bytes.count) {
                [isBase, spool, store, history] tools in
                // Page 1 holds the change counter, which the sum leaves out.
                if onlyChanged, group > 0,
                    spool.sum(of: group) == reading.hashes(with: tools.hasher).sum
                {
                    return
                }
                do {
                    let outcome =
                        isBase
                        ? try reading.base(in: store, with: tools)
                        : try reading.changes(since: plan, with: tools)
                    try spool.put(outcome, of: group)
                } catch let error as RepositoryError where error.code == .damaged && !isBase {
                    history.record(error)
                }
            }
        }
        // What the change set leans on is proved before it is written.
        try cursor?.finish()
    }

}
