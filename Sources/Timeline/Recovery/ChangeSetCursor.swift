import Codec
import Repository

/// A page as a change set holds it.
struct ChangedPage: Sendable {
    let entry: PageTableEntry
    /// Empty where only hashes were asked for.
    let body: ArraySlice<UInt8>
}

/// Walks the pages of one change set in ascending order, a few blobs in memory at a time.
struct ChangeSetCursor {
    let record: Record
    private let reader: SegmentReader
    private let tables: [Int]
    private let bodies: [Int]
    private let wantsBodies: Bool
    private var nextTable = 0
    private var nextBody = 0
    private var entries: ArraySlice<PageTableEntry> = []
    private var body: [UInt8] = []
    private var bodySize = 0
    private var bodyOffset = 0
    private var last: UInt32 = 0
    private let hasher = TableHasher()
    private var count: UInt32 = 0

    init(_ handle: RecordHandle, _ reader: SegmentReader, wantsBodies: Bool) {
        record = handle.record
        self.reader = reader
        self.wantsBodies = wantsBodies
        tables = reader.blobs(of: handle, kind: .pageTable)
        bodies = reader.blobs(of: handle, kind: .pageBodies)
    }

    /// The pages below `bound` that were not taken yet.
    mutating func take(below bound: UInt32) throws -> [ChangedPage] {
        var pages: [ChangedPage] = []
        while let entry = try peek(), entry.page < bound {
            guard entry.page > last else { throw FormatError("page table out of order") }
            last = entry.page
            entries.removeFirst()
            hasher.add(page: entry.page, hash: entry.hash)
            count += 1
            pages.append(ChangedPage(entry: entry, body: try takeBody(entry.length)))
        }
        return pages
    }

    /// Throws where the table was not what the record's chain covers.
    mutating func finish() throws {
        _ = try take(below: .max)
        guard count == record.tableCount, hasher.finish() == record.tableHash else {
            throw FormatError("the page table of \(record.position) is not what its chain covers")
        }
    }

    private mutating func peek() throws -> PageTableEntry? {
        while entries.isEmpty {
            guard nextTable < tables.count else { return nil }
            entries = try PageTable.decode(reader.read(tables[nextTable]))[...]
            nextTable += 1
        }
        return entries.first
    }

    private mutating func takeBody(_ length: Int) throws -> ArraySlice<UInt8> {
        while bodyOffset == bodySize, length > 0 {
            guard nextBody < bodies.count else { throw FormatError("bodies of pages are missing") }
            bodySize = reader.entries[bodies[nextBody]].header.plainSize
            body = wantsBodies ? try reader.read(bodies[nextBody]) : []
            bodyOffset = 0
            nextBody += 1
        }
        guard length <= bodySize - bodyOffset else { throw FormatError("body of a page cut short") }
        defer { bodyOffset += length }
        return wantsBodies ? body[bodyOffset..<bodyOffset + length] : []
    }
}
