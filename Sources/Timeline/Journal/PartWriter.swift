import Codec
import Platform

/// A part of a journal that is being written.
struct PartWriter {
    private let file: any DiskWriter
    private let headHash: Digest
    private var previous: Digest
    /// Bytes that were written and synced.
    private(set) var size: UInt64

    /// Makes a part, durable with its name. What is left of one that cannot be made is removed, if
    /// that is possible.
    init(_ head: PartHead, in directory: FilePath, on disk: any Disk) throws {
        let path = directory.appending(JournalName.part(head.number))
        let bytes = head.encoded
        file = try disk.create(path)
        headHash = bytes.suffix(Digest.size).withUnsafeBytes { Digest(bytes: $0) }
        previous = headHash
        size = UInt64(bytes.count)
        do {
            try bytes.withUnsafeBytes { try file.write($0) }
            try file.sync()
            try disk.syncDirectory(directory)
        } catch {
            throw Unmade(reason: error, isGone: (try? disk.remove(path)) != nil)
        }
    }

    /// A part that could not be made.
    struct Unmade: Error {
        let reason: any Error
        let isGone: Bool
    }

    /// Writes a batch behind the last one; it counts once ``sync(_:)`` has returned.
    func write(_ batch: inout Batch) throws {
        _ = batch.seal(at: size, after: previous, in: headHash)
        try batch.bytes.withUnsafeBytes { try file.write($0) }
    }

    /// Makes a batch that was written durable; answers its hash.
    mutating func sync(_ batch: Batch) throws -> Digest {
        try file.sync()
        size += UInt64(batch.bytes.count)
        previous = batch.hash
        return previous
    }
}
