import Glibc
package import Platform

/// The files that libsqlite3 keeps beside a database, under its name with something behind it.
package enum DatabaseSidecar {
    package static let suffixes = ["-journal", "-shm", "-wal"].map { Array($0.utf8) }
    /// Those that SQLite plays into the database: a rollback journal, and a WAL.
    package static let logSuffixes = ["-journal", "-wal"].map { Array($0.utf8) }

    private static let journalMagic: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]
    private static let logMagic: [UInt8] = [0x37, 0x7F, 0x06]

    /// Whether a name stands for a log that SQLite would play into the database beside it: it
    /// begins as a journal does, or as a WAL with a frame. True also where it cannot be read.
    package static func isLog(_ name: [UInt8], in directory: borrowing Descriptor) -> Bool {
        do {
            // A WAL may be opened and closed beside an open database: locks lie on others.
            let file = try Descriptor.open(
                name, in: directory, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            let status = try file.status()
            guard status.kind == .regular, status.size > UInt64(WALFrames.headerSize) else {
                return false
            }
            var head = [UInt8](repeating: 0, count: 8)
            _ = try head.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
            return head == journalMagic || head.starts(with: logMagic)
        } catch {
            return ![.noSuchFile, .tooManyLinks].contains((error as? SystemError)?.errno)
        }
    }
}
