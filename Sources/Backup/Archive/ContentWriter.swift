import Codec
import Platform
import Repository

/// Cuts what the walker reads into pieces and hands them to the workers.
///
/// Small files share a batch, so that a hundred of them cost one hand-over. Used by one thread.
final class ContentWriter {
    private static let batchBytes = 512 << 10
    private static let batchPieces = 256
    /// Two of the largest chunks: a chunk is found without moving bytes more than once.
    private static let windowBytes = 2 * Chunker.maximumSize

    private struct Piece: Sendable {
        let range: Range<Int>
        let content: PendingContent
        let number: Int
    }

    private let store: BlobStore
    private let board: ContentBoard
    private let chunker: Chunker
    private var batch: [UInt8] = []
    private var pieces: [Piece] = []
    private var window: [UInt8] = []

    init(_ store: BlobStore, _ board: ContentBoard, chunker: Chunker) {
        self.store = store
        self.board = board
        self.chunker = chunker
        batch.reserveCapacity(ContentWriter.batchBytes)
    }

    /// Reads until `read` gives nothing more, cuts, and returns the number of bytes.
    ///
    /// - Parameters:
    ///   - expected: bytes that are likely to come; small contents go into the shared batch.
    ///   - read: fills a buffer and returns how many bytes it gave; 0 at the end.
    func write(
        _ content: PendingContent, expected: UInt64,
        read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> UInt64 {
        guard expected >= UInt64(Chunker.minimumSize) else {
            return try writeSmall(content, expected: Int(expected), read: read)
        }
        return try writeLarge(content, read: read)
    }

    private func writeSmall(
        _ content: PendingContent, expected: Int,
        read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> UInt64 {
        if batch.count + expected > ContentWriter.batchBytes { try flush() }
        let start = batch.count
        batch.append(contentsOf: repeatElement(0, count: expected))
        let result = batch.withUnsafeMutableBytes { bytes in
            let target = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + expected])
            return Result { try ContentWriter.fill(target, from: read) }
        }
        // What a file did not give, or gave before it failed, leaves the batch again.
        let filled = (try? result.get()) ?? 0
        batch.removeSubrange(start + filled..<batch.count)
        guard try result.get() > 0 else { return 0 }
        let number = board.reserve(in: content)
        pieces.append(Piece(range: start..<start + filled, content: content, number: number))
        if pieces.count == ContentWriter.batchPieces { try flush() }
        return UInt64(filled)
    }

    private func writeLarge(
        _ content: PendingContent, read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> UInt64 {
        if window.isEmpty { window = [UInt8](repeating: 0, count: ContentWriter.windowBytes) }
        var total: UInt64 = 0
        var start = 0
        var end = 0
        var atEnd = false
        while true {
            if end - start < Chunker.maximumSize, !atEnd {
                (start, end, atEnd) = try refill(start..<end, from: read)
            }
            guard end > start else { return total }
            let chunk = window.withUnsafeBytes { bytes -> [UInt8] in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                return Array(rest[0..<chunker.boundary(in: rest)])
            }
            start += chunk.count
            total += UInt64(chunk.count)
            try submit(
                chunk,
                [
                    Piece(
                        range: 0..<chunk.count, content: content, number: board.reserve(in: content)
                    )
                ])
        }
    }

    /// Moves what is left to the window's front and fills the window.
    private func refill(
        _ left: Range<Int>, from read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> (start: Int, end: Int, atEnd: Bool) {
        try window.withUnsafeMutableBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[left])
            bytes.copyMemory(from: rest)
            let free = UnsafeMutableRawBufferPointer(rebasing: bytes[left.count...])
            let got = try ContentWriter.fill(free, from: read)
            return (0, left.count + got, got < free.count)
        }
    }

    private static func fill(
        _ target: UnsafeMutableRawBufferPointer,
        from read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> Int {
        var filled = 0
        while filled < target.count {
            let got = try read(UnsafeMutableRawBufferPointer(rebasing: target[filled...]))
            if got == 0 { break }
            filled += got
        }
        return filled
    }

    /// Hands the shared batch to the workers.
    func flush() throws {
        guard !pieces.isEmpty else { return }
        let bytes = batch
        let list = pieces
        batch = []
        batch.reserveCapacity(ContentWriter.batchBytes)
        pieces = []
        try submit(bytes, list)
    }

    private func submit(_ bytes: [UInt8], _ pieces: [Piece]) throws {
        try store.pool.submit(bytes: bytes.count) { [store, board] tools in
            let ids = try bytes.withUnsafeBytes {
                try store.put(pieces.map(\.range), of: $0, kind: .data, with: tools)
            }
            board.fill(
                zip(pieces, ids).map { piece, id in
                    (piece.content, piece.number, BlobReference(id: id, size: piece.range.count))
                })
            for piece in pieces {
                try board.gather(piece.content) { list in
                    try list.withUnsafeBytes { try store.put($0, kind: .pieceList, with: tools) }
                }
            }
        }
    }
}
