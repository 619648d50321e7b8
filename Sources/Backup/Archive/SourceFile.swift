import Glibc
import Platform
import Repository
import Timeline

/// A regular file that is being backed up, open for reading.
final class SourceFile {
    /// What reading a file found beside its bytes.
    struct Reading {
        /// Bytes of the file, holes included.
        let size: UInt64
        /// Where the bytes lie, where the file has holes.
        let extents: [Extent]?
        /// Whether the file was another one after reading than before.
        let changed: Bool
    }

    /// The file itself could not be read; what a repository throws is no such error.
    struct ReadError: Error, CustomStringConvertible {
        let cause: SystemError
        var description: String { "\(cause)" }
    }

    private var descriptor: Descriptor?
    let status: FileStatus
    private let path: FilePath
    private let extents: [Extent]
    private let isSparse: Bool
    /// Holes below this many bytes are read as zeros; 0 where none are.
    let smallestHole: UInt64

    /// Opens without following a link, without waiting for a fifo, and without marking the access
    /// where the file is ours.
    ///
    /// - Parameter mostExtents: into how many pieces holes may cut it.
    init(
        opening name: [UInt8], in directory: borrowing Descriptor, path: FilePath,
        mostExtents: Int = Node.mostExtents
    ) throws {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
        let opened = try SourceFile.open(name, in: directory, flags: flags)
        status = try opened.status()
        self.path = path
        guard status.kind == .regular else {
            throw SystemError("open", path, .noSuchFile)
        }
        isSparse = status.allocated < status.size
        var gatherer = ExtentGatherer(limit: mostExtents)
        if isSparse {
            try SourceFile.findExtents(of: opened, size: status.size) { gatherer.append($0) }
        } else {
            gatherer.append(Extent(offset: 0, length: status.size))
        }
        extents = gatherer.extents
        smallestHole = gatherer.smallestHole
        descriptor = consume opened
    }

    private static func open(
        _ name: [UInt8], in directory: borrowing Descriptor, flags: CInt
    ) throws(SystemError) -> Descriptor {
        do {
            return try Descriptor.open(
                name, in: directory, flags: flags | Descriptor.withoutAccessTime)
        } catch {
            guard error.errno == .notPermitted else { throw error }
            return try Descriptor.open(name, in: directory, flags: flags)
        }
    }

    private static func findExtents(
        of descriptor: borrowing Descriptor, size: UInt64, _ found: (Extent) -> Void
    ) throws {
        var offset: UInt64 = 0
        while offset < size, let start = try descriptor.nextData(from: offset), start < size {
            let end = min(try descriptor.nextHole(from: start) ?? size, size)
            guard end > start else { break }
            found(Extent(offset: start, length: end - start))
            offset = end
        }
    }

    /// Bytes that reading will give if the file stays as it is.
    var expectedBytes: UInt64 { extents.reduce(0) { $0 + $1.length } }

    /// Whether the file's head is that of a SQLite database.
    var looksLikeDatabase: Bool {
        guard status.size >= 512 else { return false }
        var head = [UInt8](repeating: 0, count: 100)
        do {
            let got = try head.withUnsafeMutableBytes {
                try descriptor?.read(into: $0, at: 0) ?? 0
            }
            return got == head.count && head.withUnsafeBytes(DatabaseDetector.mayCapture)
        } catch {
            return false  // reading the file itself will meet the error again, and report it
        }
    }

    /// By the descriptor: a name in a directory would cost a walk through /proc.
    func attributes() throws -> [ExtendedAttribute] {
        guard let file = descriptor.take() else { return [] }
        do {
            let found = try ExtendedAttribute.read(of: file)
            descriptor = consume file
            return found
        } catch {
            descriptor = consume file
            throw error
        }
    }

    /// Lets `consume` draw the file's bytes, then looks whether the file is still the same.
    func read(
        _ consume: ((UnsafeMutableRawBufferPointer) throws -> Int) throws -> UInt64
    ) throws -> Reading {
        var index = 0
        var within: UInt64 = 0
        let total = try consume { buffer in
            while index < extents.count {
                let left = extents[index].length - within
                guard left > 0 else {
                    index += 1
                    within = 0
                    continue
                }
                let count = Int(min(left, UInt64(buffer.count)))
                let target = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<count])
                let got = try read(into: target, at: extents[index].offset + within)
                guard got > 0 else {
                    index = extents.count  // the file became shorter
                    return 0
                }
                within += UInt64(got)
                return got
            }
            return 0
        }
        return try finish(total)
    }

    private func read(
        into target: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws -> Int {
        do {
            return try descriptor?.read(into: target, at: offset) ?? 0
        } catch {
            throw ReadError(cause: error)
        }
    }

    private func finish(_ total: UInt64) throws -> Reading {
        let after = try descriptor?.status() ?? status
        let changed =
            after.size != status.size || after.modified != status.modified
            || after.changed != status.changed || total != expectedBytes
        guard isSparse else { return Reading(size: total, extents: nil, changed: changed) }
        guard total < expectedBytes else {
            return Reading(size: status.size, extents: extents, changed: changed)
        }
        var kept: [Extent] = []
        var left = total
        for extent in extents where left > 0 {
            let length = min(extent.length, left)
            kept.append(Extent(offset: extent.offset, length: length))
            left -= length
        }
        let size = kept.last.map { $0.offset + $0.length } ?? 0
        return Reading(size: size, extents: kept, changed: changed)
    }

    func close() {
        descriptor = nil
    }
}
