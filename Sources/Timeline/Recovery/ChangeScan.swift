import Codec
import Repository

/// Reads the tables of a path, newest first, and keeps what the pages of a window need.
///
/// Each table is proved against the chain on the way.
struct ChangeScan {
    /// A version of a page, and where its body lies.
    private struct Version {
        let page: UInt32
        /// 0 in the newest record.
        let age: UInt32
        let run: UInt32
        /// Index of the body's blob in the segment, and the place in the blob.
        let blob: UInt32
        let offset: UInt32
        let length: UInt32
        let codec: PageCodec
    }

    /// Pages whose state is kept at a time, a byte each.
    private static let pageLimit = 4 << 20
    private static let complete = UInt8.max

    private let path: RecordPath
    private let geometry: PageGeometry
    private let opener: BlobOpener
    private let wantsBodies: Bool
    private let budget: Int
    private var pages: Range<UInt32>
    /// Versions of each page that lean on one that was not seen yet; `complete` where none does.
    private var leaning: [UInt8]
    private var versions: [Version] = []
    private var hashes: [(page: UInt32, hash: Digest)] = []
    private var cost = 0
    private var age: UInt32 = 0

    /// - Parameter group: the window's first group.
    init(
        _ path: RecordPath, from group: Int, of record: Record, wantsBodies: Bool,
        budget: Int = ChangeWindow.budget
    ) {
        self.path = path
        self.wantsBodies = wantsBodies
        self.budget = budget
        geometry = PageGeometry(pageSize: record.pageSize)
        opener = BlobOpener(path.store.repository)
        let first = group * geometry.pagesPerGroup + 1
        let end = min(Int(record.pageCount) + 1, first + ChangeScan.pageLimit)
        pages = UInt32(clamping: first)..<UInt32(clamping: max(first, end))
        leaning = [UInt8](repeating: 0, count: pages.count)
    }

    /// Reads all tables, and the bodies that the window's pages need.
    mutating func run() throws -> ChangeWindow {
        for run in path.runs.indices.reversed() { try read(UInt32(run)) }
        hashes.sort { $0.page < $1.page }
        let changes =
            try wantsBodies
            ? bodies()
            : sorted().map {
                PageChange(page: $0.page, codec: $0.codec, body: [])
            }
        return ChangeWindow(pages: pages, hashes: hashes, changes: changes)
    }

    private mutating func read(_ run: UInt32) throws {
        let (segment, range) = (path.runs[Int(run)].segment, path.runs[Int(run)].range)
        let records = try path.store.records(of: segment)
        guard records.indices.contains(range.upperBound) else {
            throw FormatError("segment \(segment) has lost records")
        }
        let reader = try SegmentReader(segment, in: path.store.repository, with: opener)
        for index in range.reversed()
        where records[index].record.kind == .commit && !records[index].isForgotten {
            try read(records[index], reader, run)
            age += 1
        }
    }

    private mutating func read(
        _ handle: RecordHandle, _ reader: SegmentReader, _ run: UInt32
    ) throws {
        let record = handle.record
        guard record.pageSize == geometry.pageSize else {
            throw FormatError("record \(record.position) changes the page size")
        }
        let hasher = TableHasher()
        var count: UInt32 = 0
        var last: UInt32 = 0
        var bodies = BodyPlaces(reader, reader.blobs(of: handle, kind: .pageBodies))
        for table in reader.blobs(of: handle, kind: .pageTable) {
            for entry in try PageTable.decode(reader.read(table)) {
                guard entry.page > last else { throw FormatError("page table out of order") }
                last = entry.page
                hasher.add(page: entry.page, hash: entry.hash)
                count += 1
                let (blob, offset) = try bodies.take(entry.length)
                try note(entry, run: run, blob: blob, offset: offset)
            }
        }
        guard count == handle.table.count, hasher.finish() == handle.table.hash else {
            throw FormatError("the page table of \(record.position) is another one")
        }
    }

    private mutating func note(
        _ entry: PageTableEntry, run: UInt32, blob: Int, offset: Int
    ) throws {
        guard pages.contains(entry.page), entry.page != geometry.lockPage else { return }
        let index = Int(entry.page - pages.lowerBound)
        let state = leaning[index]
        guard state != ChangeScan.complete else { return }
        if state == 0 {
            hashes.append((page: entry.page, hash: entry.hash))
            cost += MemoryLayout<(page: UInt32, hash: Digest)>.stride
        }
        guard entry.codec != .dictionary || state < PageCoder.chainLimit else {
            throw FormatError("page \(entry.page) leans on too many versions")
        }
        leaning[index] = entry.codec == .dictionary ? state + 1 : ChangeScan.complete
        versions.append(
            Version(
                page: entry.page, age: age, run: run, blob: UInt32(clamping: blob),
                offset: UInt32(clamping: offset), length: UInt32(clamping: entry.length),
                codec: entry.codec))
        cost += ChangeScan.cost(of: entry.length, wantsBodies)
        if cost > budget { halve() }
    }

    private static func cost(of length: Int, _ wantsBodies: Bool) -> Int {
        MemoryLayout<Version>.stride + MemoryLayout<PageChange>.stride + (wantsBodies ? length : 0)
    }

    /// Gives up the later half of the window, again until it fits or is one group.
    private mutating func halve() {
        while cost > budget, pages.count > geometry.pagesPerGroup {
            let groups = (pages.count / geometry.pagesPerGroup + 1) / 2
            let end = Int(pages.lowerBound) + groups * geometry.pagesPerGroup
            pages = pages.lowerBound..<min(pages.upperBound, UInt32(clamping: end))
            versions.removeAll { !pages.contains($0.page) }
            hashes.removeAll { !pages.contains($0.page) }
            cost = hashes.count * MemoryLayout<(page: UInt32, hash: Digest)>.stride
            cost += versions.reduce(0) {
                $0 + ChangeScan.cost(of: Int($1.length), wantsBodies)
            }
        }
    }

    private func sorted() -> [Version] {
        versions.sorted { ($0.page, $1.age) < ($1.page, $0.age) }
    }

    /// Reads the bodies, each blob once.
    private func bodies() throws -> [PageChange] {
        let sorted = sorted()
        let order = sorted.indices.sorted {
            (sorted[$0].run, sorted[$0].blob, sorted[$0].offset)
                < (sorted[$1].run, sorted[$1].blob, sorted[$1].offset)
        }
        var starts = [Int](repeating: 0, count: sorted.count)
        var arena: [UInt8] = []
        arena.reserveCapacity(sorted.reduce(0) { $0 + Int($1.length) })
        var reader: (run: UInt32, reader: SegmentReader)?
        var blob: (run: UInt32, index: UInt32, bytes: [UInt8])?
        for index in order {
            let version = sorted[index]
            starts[index] = arena.count
            guard version.length > 0 else { continue }
            if reader?.run != version.run {
                let segment = path.runs[Int(version.run)].segment
                reader = (
                    version.run,
                    try SegmentReader(segment, in: path.store.repository, with: opener)
                )
            }
            if blob?.run != version.run || blob?.index != version.blob, let reader {
                blob = (version.run, version.blob, try reader.reader.read(Int(version.blob)))
            }
            guard let bytes = blob?.bytes, bytes.count >= Int(version.offset + version.length)
            else { throw FormatError("body of page \(version.page) cut short") }
            arena += bytes[Int(version.offset)..<Int(version.offset + version.length)]
        }
        return sorted.indices.map { index in
            let version = sorted[index]
            return PageChange(
                page: version.page, codec: version.codec,
                body: arena[starts[index]..<starts[index] + Int(version.length)])
        }
    }
}

/// Where the bodies of a record's pages lie: one after another, none in two blobs.
private struct BodyPlaces {
    private let reader: SegmentReader
    private let blobs: [Int]
    private var next = 0
    private var size = 0
    private var offset = 0

    init(_ reader: SegmentReader, _ blobs: [Int]) {
        self.reader = reader
        self.blobs = blobs
    }

    /// The blob of the next body, and the place in it.
    mutating func take(_ length: Int) throws -> (blob: Int, offset: Int) {
        while offset == size, length > 0 {
            guard next < blobs.count else { throw FormatError("bodies of pages are missing") }
            size = reader.entries[blobs[next]].header.plainSize
            offset = 0
            next += 1
        }
        guard length <= size - offset else { throw FormatError("body of a page cut short") }
        defer { offset += length }
        return (next > 0 ? blobs[next - 1] : 0, offset)
    }
}
