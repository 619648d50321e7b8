package import Platform

/// A rollback journal as an attacker would put it beside a database (sqlite.org/fileformat2.html,
/// section 3): hot, without a page, and naming a super-journal that SQLite is to remove.
package enum HostileJournal {
    private static let magic: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]

    /// - Parameters:
    ///   - pageCount: of the database, so that it keeps its size.
    ///   - superJournal: absolute.
    package static func bytes(
        pageSize: UInt32 = 4096, pageCount: UInt32, superJournal: FilePath
    ) -> [UInt8] {
        var header = magic + [UInt32(0), 0, pageCount, 512, pageSize].flatMap(bigEndian)
        header += [UInt8](repeating: 0, count: 512 - header.count)
        let name = superJournal.bytes
        let lockPage = UInt32(1 << 30) / pageSize + 1
        let sum = name.reduce(UInt32(0)) { $0 + UInt32($1) }
        let trailer = [UInt32(name.count), sum].flatMap(bigEndian) + magic
        return header + bigEndian(lockPage) + name + trailer
    }

    private static func bigEndian(_ word: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
    }
}
