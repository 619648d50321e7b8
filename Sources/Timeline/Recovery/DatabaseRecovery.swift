import Codec
package import Platform
package import Repository

/// Puts recorded states of databases back into files.
package final class DatabaseRecovery {
    let repository: Repository
    private let streams: StreamIndex

    package init(from repository: Repository) throws {
        self.repository = repository
        streams = try StreamIndex(of: repository)
    }

    /// Segments that cannot be read.
    package var damagedSegments: [HurtSegment] { streams.damaged }

    /// The records that make up a state, base first.
    package func path(to reference: DatabaseReference) throws -> RecordPath {
        guard let stream = streams.streams[reference.stream] else {
            throw RepositoryError(
                .damaged, "the stream of a database is missing: no segment of it can be read",
                hint: "Run 'holdfast verify' to see what is hurt.")
        }
        return try stream.path(to: try stream.record(at: reference))
    }

    /// The epoch that begins where a state is put back over the database it is of; nil where
    /// another database lies there. Parameters and errors are those of ``EpochOfRestore``.
    ///
    /// - Parameter firstPage: the first page of the state, at least.
    package func epoch(
        of state: DatabaseReference, at path: FilePath, firstPage: [UInt8], host: String,
        patience: UInt64
    ) throws -> EpochOfRestore? {
        guard let stream = streams.streams[state.stream], try stream.isOf(path) else { return nil }
        let size = try self.path(to: state).last?.record.pageSize ?? 0
        return try EpochOfRestore.prepared(
            for: Restoration(of: state, firstPage: Array(firstPage.prefix(size))),
            of: stream.identity, at: path, host: host, in: repository, patience: patience)
    }

    func cursor(over reference: DatabaseReference) throws -> StateCursor {
        try StateCursor(over: path(to: reference), wantsBodies: false)
    }

    /// Walks the pages of a state on all cores, each group proved by its pages' hashes, and proves
    /// the whole by its state root.
    ///
    /// - Parameter write: takes the bytes of a page group and their offset in the file; called by
    ///   several threads, in no order. The file's size is `pageSize × pageCount`.
    package func recover(
        _ reference: DatabaseReference, with pool: WorkPool,
        write: @escaping @Sendable (UnsafeRawBufferPointer, UInt64) throws -> Void
    ) throws {
        let path = try path(to: reference)
        // The pool's own failure would fail all databases after this one.
        let failure = FirstFailure()
        do {
            var cursor = try StateCursor(over: path, wantsBodies: true)
            let root = RootSum()
            // However this ends, no job may outlive it: each writes to the caller's descriptor.
            try drained(pool) {
                while let plan = try cursor.next() {
                    try failure.check()
                    let size = plan.pages.count * plan.geometry.pageSize
                    try pool.submit(bytes: size) { tools in
                        do {
                            let bytes = try plan.build(with: tools)
                            root.add(plan.sum(of: bytes, with: tools.hasher))
                            let offset = UInt64(plan.group) * UInt64(PageGeometry.groupBytes)
                            try bytes.withUnsafeBytes { try write($0, offset) }
                        } catch {
                            failure.record(error)
                        }
                    }
                }
            }
            try failure.check()
            guard root.digest == cursor.record.stateRoot else {
                throw FormatError("state \(reference.position) has another root than was recorded")
            }
        } catch let error as FormatError {
            throw RepositoryError(
                .damaged, "\(error)", hint: "Run 'holdfast verify --read-data' to see what is hurt."
            )
        }
    }

    /// Runs `body`, and returns or throws when the pool has done all that it was given.
    private func drained(_ pool: WorkPool, _ body: () throws -> Void) throws {
        let result = Result { try body() }
        try pool.drain()
        try result.get()
    }

    /// Gives out the pages of a state one group after another; the last comes once the state root
    /// is proved.
    package func recoverInOrder(
        _ reference: DatabaseReference, with tools: Tools, write: ([UInt8]) throws -> Void
    ) throws {
        do {
            var cursor = try StateCursor(
                over: path(to: reference), wantsBodies: true)
            var root = StateRoot()
            var last: [UInt8] = []
            while let plan = try cursor.next() {
                if !last.isEmpty { try write(last) }
                last = try plan.build(with: tools)
                root.add(plan.sum(of: last, with: tools.hasher))
            }
            guard root.digest == cursor.record.stateRoot else {
                throw FormatError("state \(reference.position) has another root than was recorded")
            }
            if !last.isEmpty { try write(last) }
        } catch let error as FormatError {
            throw RepositoryError(
                .damaged, "\(error)", hint: "Run 'holdfast verify --read-data' to see what is hurt."
            )
        }
    }
}
