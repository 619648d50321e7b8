// A page stands alone, or is compressed with its own version just before this record as zlib
// preset dictionary. Pieces are 16 KiB, since zlib's window of 32 KiB must hold dictionary and
// piece; each piece is a varint length and that many bytes. Every 16th version stands alone, so
// that no page needs more than 16 steps.

import Codec
import Repository

/// Encodes and decodes the pages of change sets; used by one thread.
struct PageCoder {
    /// Versions in a row that may lean on the one before.
    static let chainLimit = 15
    private static let pieceSize = 16 << 10

    let compressor: Compressor
    let decompressor: Decompressor

    init() {
        compressor = Compressor(level: .fast)
        decompressor = Decompressor()
    }

    init(_ tools: Tools) {
        compressor = tools.compressor
        decompressor = tools.decompressor
    }

    /// Appends a page's body to `output` and returns its codec.
    func encode(
        _ page: UnsafeRawBufferPointer, previous: UnsafeRawBufferPointer?,
        into output: inout [UInt8]
    ) -> PageCodec {
        let start = output.count
        if let previous {
            leaning(page, on: previous, into: &output)
            if output.count - start <= page.count / 2 { return .dictionary }
        }
        let leaned = output.count - start
        var alone: [UInt8] = []
        let codec: PageCodec = compressor.compress(page, into: &alone) == .stored ? .stored : .zlib
        if previous != nil, leaned <= alone.count { return .dictionary }
        output.removeSubrange(start...)
        output.append(contentsOf: alone)
        return codec
    }

    private func leaning(
        _ page: UnsafeRawBufferPointer, on previous: UnsafeRawBufferPointer,
        into output: inout [UInt8]
    ) {
        var piece: [UInt8] = []
        for start in stride(from: 0, to: page.count, by: PageCoder.pieceSize) {
            let range = start..<min(start + PageCoder.pieceSize, page.count)
            piece.removeAll(keepingCapacity: true)
            _ = compressor.compress(
                UnsafeRawBufferPointer(rebasing: page[range]),
                dictionary: UnsafeRawBufferPointer(rebasing: previous[range]), into: &piece)
            var length = ByteWriter(capacity: 3)
            length.write(varint: UInt64(piece.count))
            output.append(contentsOf: length.bytes)
            output.append(contentsOf: piece)
        }
    }

    /// Turns `page`, the version before, into the version whose body this is.
    func decode(
        _ body: ArraySlice<UInt8>, _ codec: PageCodec, over page: UnsafeMutableRawBufferPointer
    ) throws {
        switch codec {
        case .stored:
            guard body.count == page.count else { throw FormatError("a page of another size") }
            body.withUnsafeBytes { page.copyMemory(from: $0) }
        case .zlib:
            try decompress(body, into: page)
        case .dictionary:
            try leaned(body, over: page)
        }
    }

    private func decompress(
        _ body: ArraySlice<UInt8>, into page: UnsafeMutableRawBufferPointer
    ) throws {
        try body.withUnsafeBytes { try decompressor.decompress($0, into: page) }
    }

    private func leaned(
        _ body: ArraySlice<UInt8>, over page: UnsafeMutableRawBufferPointer
    ) throws {
        var reader = ByteReader(body)
        for start in stride(from: 0, to: page.count, by: PageCoder.pieceSize) {
            let end = min(start + PageCoder.pieceSize, page.count)
            let piece = try reader.counted(limit: PageTable.bodyLimit)
            let target = UnsafeMutableRawBufferPointer(rebasing: page[start..<end])
            let previous = [UInt8](UnsafeRawBufferPointer(target))
            try piece.withUnsafeBytes { piece in
                try previous.withUnsafeBytes {
                    try decompressor.decompress(piece, dictionary: $0, into: target)
                }
            }
        }
        try reader.finish()
    }
}
