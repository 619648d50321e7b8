import Codec
package import Platform
package import Repository
import Synchronization
import Timeline

/// Gives out the bytes of one file or database of a snapshot, in order.
package final class FileDump {
    private let repository: Repository
    private let browser: SnapshotBrowser

    package init(_ repository: Repository) {
        self.repository = repository
        browser = SnapshotBrowser(repository)
    }

    /// Hands the file's bytes to `write`, run by run; each is proved before it is given out.
    package func run(
        _ path: FilePath, of snapshot: StoredSnapshot, write: ([UInt8]) throws -> Void
    ) throws {
        guard let node = try browser.node(at: path, in: snapshot) else {
            throw noFile(path, .directory)
        }
        switch node.content {
        case .file(let pieces, let extents):
            try file(pieces, extents ?? [Extent(offset: 0, length: node.size)], node.size, write)
        case .database(let reference):
            try database(reference, write)
        case .unreadable(let reason):
            throw RepositoryError(.absent, "\(path) was not saved: \(reason)")
        default: throw noFile(path, node.kind)
        }
    }

    private func noFile(_ path: FilePath, _ kind: FileKind) -> RepositoryError {
        RepositoryError(
            .absent, "\(path) is a \(kind.noun), not a file",
            hint: "Restore it with 'holdfast restore' instead.")
    }

    private func file(
        _ pieces: PieceList, _ extents: [Extent], _ size: UInt64,
        _ write: ([UInt8]) throws -> Void
    ) throws {
        var position: UInt64 = 0
        var rest = extents[...]
        var within: UInt64 = 0
        var sequence = PieceSequence(pieces, from: browser.opener)
        while let piece = try sequence.next() {
            var bytes = try browser.opener.read(piece.id)[...]
            guard bytes.count == piece.size else {
                throw RepositoryError(
                    .damaged, "piece \(piece.id) has another size than its file says")
            }
            while !bytes.isEmpty, let extent = rest.first {
                try hole(until: extent.offset + within, from: &position, write)
                let count = Int(min(UInt64(bytes.count), extent.length - within))
                if count > 0 { try write(Array(bytes.prefix(count))) }
                bytes.removeFirst(count)
                position += UInt64(count)
                within += UInt64(count)
                if within == extent.length {
                    rest.removeFirst()
                    within = 0
                }
            }
        }
        try hole(until: size, from: &position, write)
    }

    private func hole(
        until end: UInt64, from position: inout UInt64, _ write: ([UInt8]) throws -> Void
    ) throws {
        while position < end {
            let count = Int(min(1 << 20, end - position))
            try write([UInt8](repeating: 0, count: count))
            position += UInt64(count)
        }
    }

    private func database(
        _ reference: DatabaseReference, _ write: ([UInt8]) throws -> Void
    ) throws {
        let recovery = try DatabaseRecovery(from: repository)
        let tools = Tools(repository, level: .fast)
        try recovery.recoverInOrder(reference, with: tools, write: write)
    }
}
