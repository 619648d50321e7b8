import Glibc
import Platform
import Repository
import Synchronization

/// A regular file on its way back: written under a name of its own, and moved to its real one once
/// every piece was proved by its id.
final class RestoredFile: Sendable {
    private struct State: ~Copyable {
        var descriptor: Descriptor?
        /// Calls of `write` that are still to come.
        var missing = 1
        var failed = false
    }

    /// A piece, and where in the content (holes left out) it begins.
    struct Part: Sendable {
        let piece: BlobReference
        let offset: UInt64
    }

    let node: Node
    private let directory: TargetDirectory
    private let temporary: [UInt8]
    private let staleLogs: StaleLogs
    private let extents: [Extent]
    /// Where in the content each extent begins.
    private let starts: [UInt64]
    private let state: Mutex<State>
    private let metadata: FileMetadata

    /// ``write(_:with:)`` must be called once, and once more for each ``expectOneMore()``.
    ///
    /// - Parameter staleLogs: what SQLite would play into the file, if that is a database.
    init(
        _ node: Node, extents: [Extent]?, in directory: TargetDirectory, temporary: [UInt8],
        staleLogs: StaleLogs, metadata: FileMetadata
    ) {
        self.staleLogs = staleLogs
        self.node = node
        self.directory = directory
        self.temporary = temporary
        self.metadata = metadata
        self.extents = extents ?? [Extent(offset: 0, length: node.size)]
        var start: UInt64 = 0
        starts = self.extents.map { extent in
            defer { start += extent.length }
            return start
        }
        state = Mutex(State())
    }

    var path: FilePath { directory.path.appending(node.name) }

    func expectOneMore() {
        state.withLock { $0.missing += 1 }
    }

    /// Fetches, proves and writes some parts; the last call puts the file in its place.
    func write(_ parts: [Part], with opener: BlobOpener) {
        do {
            try create()
            for part in parts {
                let bytes = try opener.read(part.piece.id)
                guard bytes.count == part.piece.size else {
                    throw RepositoryError(
                        .damaged, "piece \(part.piece.id) has another size than the snapshot says")
                }
                try put(bytes, at: part.offset)
            }
        } catch {
            fail(error)
        }
        let isLast = state.withLock { state in
            state.missing -= 1
            return state.missing == 0
        }
        if isLast { finish() }
    }

    private func create() throws {
        try state.withLock { state in
            guard state.descriptor == nil, !state.failed else { return }
            let opened = try Descriptor.open(
                temporary, in: directory.descriptor,
                flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            // Holes, and a hole at the end, need the size before the bytes.
            if extents.count != 1 || extents[0].length != node.size {
                try opened.truncate(to: node.size)
            }
            state.descriptor = consume opened
        }
    }

    /// Writes content bytes to where the extents put them.
    private func put(_ bytes: [UInt8], at offset: UInt64) throws {
        let raw = state.withLock { $0.failed ? nil : $0.descriptor?.raw }
        guard let raw else { return }
        var position = offset
        var done = 0
        var index = extent(at: offset)
        while done < bytes.count, index < extents.count {
            let extent = extents[index]
            let within = position - starts[index]
            let left = extent.length - min(within, extent.length)
            let count = Int(min(UInt64(bytes.count - done), left))
            try bytes.withUnsafeBytes {
                try Descriptor.write(
                    UnsafeRawBufferPointer(rebasing: $0[done..<done + count]), to: raw,
                    at: extent.offset + within, path: path)
            }
            done += count
            position += UInt64(count)
            index += 1
        }
    }

    /// The last extent that begins at or before a place in the content.
    private func extent(at offset: UInt64) -> Int {
        var (first, end) = (0, starts.count)
        while first < end {
            let middle = (first + end) / 2
            if starts[middle] <= offset { first = middle + 1 } else { end = middle }
        }
        return max(0, first - 1)
    }

    /// Gives the file up; the first reason is reported.
    func fail(_ error: any Error) {
        let first = state.withLock { state in
            defer { state.failed = true }
            return !state.failed
        }
        if first { metadata.report.problem(path, during: "restoring", error) }
    }

    /// Gives the file up for a reason that is told elsewhere.
    func giveUp() {
        state.withLock { $0.failed = true }
    }

    private func finish() {
        let file = state.withLock { $0.failed ? nil : $0.descriptor.take() }
        do {
            guard let file else { return try discard() }
            metadata.apply(node, to: file, at: path)
            // Not before the file is complete, and not with a write that the system kept open.
            try file.close()
            try staleLogs.moveAside(
                in: directory, tag: TemporaryName.tag(of: temporary), report: metadata.report)
            try FileTree.rename(
                temporary, in: directory.descriptor, to: node.name, in: directory.descriptor)
            metadata.report.update { counts in
                counts.files += 1
                counts.bytes.add(saturating: node.size)
            }
            metadata.report.say(.item(.restored, path: path, bytes: node.size))
        } catch {
            metadata.report.problem(path, during: "putting it in place", error)
            // The first failure is told; a second one would be of the same disk.
            try? discard()
        }
    }

    private func discard() throws {
        state.withLock { $0.descriptor = nil }
        if try directory.status(temporary) != nil { try directory.remove(temporary) }
    }
}
