package import Codec
package import Platform

/// The sealed record of trees and databases at one moment.
package struct Snapshot: Sendable {
    /// What a backup counted.
    package struct Totals: Sendable, Hashable {
        package var files: UInt64 = 0
        package var directories: UInt64 = 0
        /// Bytes of all files and databases.
        package var bytes: UInt64 = 0
        /// Entries that could not be read.
        package var unreadable: UInt64 = 0
        /// Bytes this backup added to the repository, but for the snapshot itself.
        package var stored: UInt64 = 0

        package init() {}
    }

    /// A database in a snapshot.
    package struct Database: Sendable, Hashable {
        package let path: [UInt8]
        package let reference: DatabaseReference
        package let stateRoot: Digest
        package let pageSize: Int
        package let pageCount: UInt32

        package init(
            path: [UInt8], reference: DatabaseReference, stateRoot: Digest, pageSize: Int,
            pageCount: UInt32
        ) {
            self.path = path
            self.reference = reference
            self.stateRoot = stateRoot
            self.pageSize = pageSize
            self.pageCount = pageCount
        }
    }

    package var time: Timestamp
    package var host: String
    package var user: String
    /// Absolute paths, as the backup was given them.
    package var paths: [[UInt8]]
    package var tags: [String]
    /// The snapshot this one was compared with.
    package var parent: Digest?
    /// Whether the backup was told to store databases as plain files.
    package var treatsDatabasesAsFiles = false
    /// Runs of the root directory.
    package var root: [BlobReference]
    package var databases: [Database]
    package var totals: Totals
    package var program: String
    /// BOOTTIME in nanoseconds when it was made, and the boot id, 16 bytes: by them a clock that
    /// jumped is found out. Nil and empty in a snapshot of version 1.
    package var boot: UInt64?
    package var bootID: [UInt8] = []
    /// Nanoseconds from before anything was looked at until it was made; nil in a snapshot of
    /// version 1 or 2.
    package var duration: UInt64?

    /// From when on its databases were looked at; nil where that is not known.
    package var began: Timestamp? {
        duration.map { time.adding(nanoseconds: -Int64(clamping: $0)) }
    }

    package init(
        time: Timestamp, host: String, user: String, paths: [[UInt8]], tags: [String],
        parent: Digest?, root: [BlobReference], databases: [Database], totals: Totals,
        program: String
    ) {
        self.time = time
        self.host = host
        self.user = user
        self.paths = paths
        self.tags = tags
        self.parent = parent
        self.root = root
        self.databases = databases
        self.totals = totals
        self.program = program
    }
}

extension Snapshot {
    private static let listLimit = 1 << 16
    private static let textLimit = 1 << 16

    /// The bytes that are sealed as a blob of kind `snapshot`.
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(u8: boot == nil ? 1 : duration == nil ? 2 : 3)
        writer.write(timestamp: time)
        if let boot {
            writer.write(varint: boot)
            writer.write(bytes: bootID)
            if let duration { writer.write(varint: duration) }
        }
        for text in [host, user, program] { writer.write(counted: Array(text.utf8)) }
        writer.write(varint: UInt64(paths.count))
        for path in paths { writer.write(counted: path) }
        writer.write(varint: UInt64(tags.count))
        for tag in tags { writer.write(counted: Array(tag.utf8)) }
        writer.write(u8: (parent == nil ? 0 : 1) | (treatsDatabasesAsFiles ? 2 : 0))
        if let parent { writer.write(digest: parent) }
        writer.write(references: root)
        writer.write(varint: UInt64(databases.count))
        for database in databases { database.encode(into: &writer) }
        for number in [
            totals.files, totals.directories, totals.bytes, totals.unreadable, totals.stored,
        ] {
            writer.write(varint: number)
        }
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(FormatError) {
        var reader = ByteReader(bytes)
        let version = try reader.u8()
        guard (1...3).contains(version) else { throw FormatError("snapshot of an unknown version") }
        time = try reader.timestamp()
        if version > 1 {
            boot = try reader.varint()
            bootID = try reader.bytes(16)
        }
        if version > 2 { duration = try reader.varint() }
        host = try reader.text(limit: Snapshot.textLimit)
        user = try reader.text(limit: Snapshot.textLimit)
        program = try reader.text(limit: Snapshot.textLimit)
        paths = []
        for _ in 0..<(try reader.count(limit: Snapshot.listLimit, elementSize: 1)) {
            paths.append(try reader.counted(limit: Snapshot.textLimit))
        }
        tags = []
        for _ in 0..<(try reader.count(limit: Snapshot.listLimit, elementSize: 1)) {
            tags.append(try reader.text(limit: Snapshot.textLimit))
        }
        let flags = try reader.u8()
        guard flags < 4 else { throw FormatError("unknown flags of a snapshot") }
        parent = flags & 1 == 0 ? nil : try reader.digest()
        treatsDatabasesAsFiles = flags & 2 != 0
        root = try reader.references(limit: 1 << 20)
        databases = []
        for _ in 0..<(try reader.count(limit: Snapshot.listLimit, elementSize: 64)) {
            databases.append(try Database(from: &reader))
        }
        totals = Totals()
        totals.files = try reader.varint()
        totals.directories = try reader.varint()
        totals.bytes = try reader.varint()
        totals.unreadable = try reader.varint()
        totals.stored = try reader.varint()
        try reader.finish()
    }
}

extension Snapshot.Database {
    package func encode(into writer: inout ByteWriter) {
        writer.write(counted: path)
        reference.encode(into: &writer)
        writer.write(digest: stateRoot)
        writer.write(varint: UInt64(pageSize))
        writer.write(varint: UInt64(pageCount))
    }

    package init(from reader: inout ByteReader) throws(FormatError) {
        path = try reader.counted(limit: 1 << 16)
        reference = try DatabaseReference(from: &reader)
        stateRoot = try reader.digest()
        let pageSize = try reader.varint()
        let pageCount = try reader.varint()
        guard (512...65536).contains(pageSize), pageSize & (pageSize - 1) == 0,
            let count = UInt32(exactly: pageCount), count < .max
        else { throw FormatError("page size or count out of range") }
        self.pageSize = Int(pageSize)
        self.pageCount = count
    }
}
