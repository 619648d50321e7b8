import Codec
import Glibc
import Platform
import Repository
import SQLite
import Timeline

/// Reads what was restored again and holds every byte against the snapshot's ids and state roots.
struct RestoreVerification {
    private let restorer: Restorer
    private let repository: Repository
    private let report: RestoreReport

    init(of restorer: Restorer) {
        self.restorer = restorer
        repository = restorer.repository
        report = restorer.report
    }

    /// Compares everything the restore selected; differences are problems of the report.
    func run(_ runs: [BlobReference], single: Node? = nil) throws {
        let pool = WorkPool(repository, level: .fast, failure: FirstFailure())
        defer { pool.finish() }
        let recovery = try DatabaseRecovery(from: repository)
        if let single { try compare(single, in: try restorer.directory(at: nil), recovery, pool) }
        try restorer.walk(runs) { node, path, way in
            if node.kind == .directory { return true }
            guard restorer.selects(path, isDirectory: false) else { return false }
            do {
                let directory = try restorer.directory(at: way.above)
                try compare(restorer.stated(node, path), in: directory, recovery, pool)
            } catch let error as SystemError {
                report.mismatch(path, error.reason(at: path))
            }
            return false
        }
        for state in restorer.source.strangers where restorer.selects(state) {
            do {
                let directory = try restorer.directory(at: TargetWay(state.way)?.above)
                try compare(state.node, in: directory, recovery, pool)
            } catch let error as SystemError {
                report.mismatch(restorer.path(of: state), "\(error)")
            }
        }
        try pool.drain()
    }

    private func compare(
        _ node: Node, in directory: TargetDirectory, _ recovery: DatabaseRecovery, _ pool: WorkPool
    ) throws {
        switch node.content {
        case .file(let pieces, let extents):
            let file = ComparedFile(node, in: directory, report: report)
            let bytes = Int(min(node.size, 8 << 20)) + restorer.waitingCost(in: directory)
            try pool.submit(bytes: bytes) { tools in
                file.compare(pieces, extents, with: tools)
            }
        case .database(let reference):
            let path = directory.path.appending(node.name)
            do {
                let location = DatabaseLocation(
                    path, at: DatabasePlace(node.name, in: directory.descriptor),
                    expecting: try FileStatus.of(node.name, in: directory.descriptor))
                let reading = try recovery.root(ofDatabaseAt: location, expecting: reference)
                report.update { $0.verifiedBytes += reading }
            } catch {
                report.mismatch(path, error.reason(at: path))
            }
        case .link(let target):
            guard try FileTree.readLink(node.name, in: directory.descriptor) != target else {
                return
            }
            report.mismatch(directory.path.appending(node.name), "the link leads elsewhere")
        default: break
        }
    }
}

/// A restored file that is being held against its pieces.
private struct ComparedFile: Sendable {
    private let node: Node
    private let directory: TargetDirectory
    private let report: RestoreReport

    init(_ node: Node, in directory: TargetDirectory, report: RestoreReport) {
        self.node = node
        self.directory = directory
        self.report = report
    }

    func compare(_ pieces: PieceList, _ extents: [Extent]?, with tools: Tools) {
        let path = directory.path.appending(node.name)
        do {
            let file = try Descriptor.open(
                node.name, in: directory.descriptor, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            guard try file.status().size == node.size else {
                throw RepositoryError(.damaged, "it has another size than the snapshot says")
            }
            var content = SparseReader(extents ?? [Extent(offset: 0, length: node.size)])
            var sequence = PieceSequence(pieces, from: tools.opener)
            while let piece = try sequence.next() {
                let bytes = try content.read(piece.size, from: file)
                let id = bytes.withUnsafeBytes { BlobID(tools.blobHasher.digest($0)) }
                guard id == piece.id else {
                    throw RepositoryError(.damaged, "its bytes are not those of the snapshot")
                }
            }
            report.update { $0.verifiedBytes.add(saturating: node.size) }
        } catch {
            report.mismatch(path, error.reason(at: path))
        }
    }
}

/// Reads the content of a file that may have holes, as its pieces were cut from it.
private struct SparseReader {
    private var extents: ArraySlice<Extent>
    private var within: UInt64 = 0

    init(_ extents: [Extent]) {
        self.extents = extents[...]
    }

    mutating func read(_ count: Int, from file: borrowing Descriptor) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count, let extent = extents.first {
            let left = extent.length - within
            guard left > 0 else {
                extents.removeFirst()
                within = 0
                continue
            }
            let step = Int(min(left, UInt64(count - done)))
            let got = try bytes.withUnsafeMutableBytes {
                try file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: $0[done..<done + step]),
                    at: extent.offset + within)
            }
            guard got > 0 else { throw RepositoryError(.damaged, "it is shorter than its size") }
            done += got
            within += UInt64(got)
        }
        return bytes
    }
}
