import Codec
import Platform

/// Reads one part of a journal from its beginning; used by one thread.
struct PartReader {
    let path: FilePath
    let head: PartHead
    let size: UInt64
    /// Where the next batch begins.
    private(set) var offset: UInt64
    /// What a part that follows here would link to.
    private(set) var link: Digest

    private let file: any DiskReader
    private let headHash: Digest
    private var previous: Digest

    /// Nil where making the part came to nothing.
    ///
    /// - Throws: `damaged`, and `anotherStream` where it is of another one.
    init?(
        _ number: UInt64, in directory: FilePath, of identity: StreamIdentity, on disk: any Disk
    ) throws {
        path = directory.appending(JournalName.part(number))
        file = try disk.open(path)
        size = file.size
        let bytes: [UInt8]
        do {
            bytes = try PartReader.headBytes(of: file)
            head = try PartHead(decoding: bytes)
        } catch let error as FormatError {
            let behind = UInt64(PartHead.size(of: identity))
            guard try file.holdsOnlyZeros(from: behind) else {
                throw JournalError.damage(path, "\(error)")
            }
            return nil
        }
        guard head.number == number else {
            throw JournalError.damage(path, "it says that it is part \(head.number)")
        }
        guard head.identity == identity else {
            throw JournalError(
                .anotherStream, directory,
                "it belongs to \(FilePath(bytes: head.identity.path)) of \(head.identity.host)",
                hint: "Give each database a journal directory of its own.")
        }
        offset = UInt64(bytes.count)
        link = head.link
        headHash = bytes.suffix(Digest.size).withUnsafeBytes { Digest(bytes: $0) }
        previous = headHash
    }

    private static func headBytes(of file: any DiskReader) throws -> [UInt8] {
        let start = try file.bytes(at: 0, count: PartHead.fixedSize)
        return try file.bytes(at: 0, count: try PartHead.size(of: start))
    }

    /// The next batch; nil where none is whole.
    mutating func next() throws -> Batch? {
        guard let batch = try batch(at: offset), batch.previous == previous else { return nil }
        offset += UInt64(batch.bytes.count)
        previous = batch.hash
        link = previous
        return batch
    }

    private func batch(at offset: UInt64) throws -> Batch? {
        let head = try file.bytes(at: offset, count: Batch.headSize)
        guard head.count == Batch.headSize,
            let count = Batch.size(of: head, at: offset, room: size - offset)
        else { return nil }
        return Batch(whole: try file.bytes(at: offset, count: count), in: headHash)
    }

    /// Whether the part is one that begins with a batch and whose first batch is not whole.
    ///
    /// - Throws: `damaged` where a later batch is whole.
    func isVoid() throws -> Bool {
        guard head.beginsWithBatch else { return false }
        var reader = self
        guard try reader.next() == nil else { return false }
        try requireTornTail()
        return true
    }

    /// Throws `damaged` where a whole batch lies behind the next one, which then was synced and is
    /// not torn but hurt.
    func requireTornTail() throws {
        var position = offset + 1
        // Heads that claim much and hold nothing must not cost more than the part is worth.
        var effort = size &* 8
        while let found = try file.find(Batch.magic, from: position), effort > 0 {
            if let batch = try batch(at: found) {
                throw JournalError.damage(
                    path,
                    "the batch at byte \(offset) is hurt; one of \(batch.bytes.count) bytes at"
                        + " \(found) is whole")
            }
            let head = try file.bytes(at: found, count: Batch.headSize)
            let claimed =
                head.count == Batch.headSize
                ? Batch.size(of: head, at: found, room: size - found) : nil
            effort -= min(effort, UInt64(claimed ?? Batch.headSize))
            position = found + 1
        }
    }
}

extension DiskReader {
    /// Up to `count` bytes; fewer only at the end.
    fileprivate func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
        guard offset < size else { return [] }
        let count = Int(min(UInt64(count), size - offset))
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try read(
                into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count),
                at: offset)
        }
    }

    /// Calls with the bytes from an offset on, in windows that overlap by `overlap`, until it
    /// answers something.
    private func search<Found>(
        from start: UInt64, overlap: Int, _ look: ([UInt8], UInt64) -> Found?
    ) throws -> Found? {
        let window = 1 << 18
        var offset = start
        while offset < size {
            let bytes = try bytes(at: offset, count: window)
            if let found = look(bytes, offset) { return found }
            guard bytes.count == window else { return nil }
            offset += UInt64(window - overlap)
        }
        return nil
    }

    fileprivate func holdsOnlyZeros(from start: UInt64) throws -> Bool {
        let zeros = [UInt8](repeating: 0, count: 1 << 18)
        let found = try search(from: start, overlap: 0) { bytes, _ in
            bytes[...] == zeros.prefix(bytes.count) ? nil : true
        }
        return found == nil
    }

    fileprivate func find(_ pattern: [UInt8], from start: UInt64) throws -> UInt64? {
        try search(from: start, overlap: pattern.count - 1) { bytes, offset in
            var rest = bytes[...]
            while let index = rest.firstIndex(of: pattern[0]) {
                rest = rest[index...]
                if rest.starts(with: pattern) { return offset + UInt64(index) }
                rest = rest.dropFirst()
            }
            return nil
        }
    }
}
