// Turns commits into change sets: one record a commit, each page against its version before.

import Codec
import Platform
import Repository
import SQLite

/// The end of a stream that is being continued.
struct CapturedEnd {
    var position: Position
    var chain: Digest
    var root: StateRoot
    var pageCount: UInt32
    /// When somebody looked last, and nothing had been committed behind this end.
    var lastLook: Timestamp
}

extension CapturedEnd {
    init(_ record: Record, _ chain: Digest) {
        self.init(
            position: record.position, chain: chain, root: StateRoot(record.stateRoot),
            pageCount: record.pageCount, lastLook: record.lastKnown)
    }
}

extension World {
    /// Now, by both clocks.
    var moment: Record.Moment {
        Record.Moment(wall: clock.now(), boot: clock.bootTime(), bootID: process.bootID)
    }
}

/// Encodes the commits of one database; used by one thread.
struct ChangeEncoder {
    /// A commit cannot be longer by more pages than it wrote plus so many: SQLite leaves out pages
    /// that were taken and given back, and nothing else.
    private static let unwrittenLimit: UInt32 = 1 << 20

    /// Pages whose contribution is remembered: 1 MiB or so.
    private static let knownLimit = 1 << 14

    let geometry: PageGeometry
    private(set) var end: CapturedEnd
    private var versions: PageVersions
    /// What pages add to the root of the end, for those that were written lately: a page that is
    /// written again and again need not be read and hashed twice each time.
    private var known: [UInt32: Digest] = [:]
    /// What page 1 adds to the root of the end, where a commit wrote it.
    private(set) var firstPage: Digest?
    /// A state that a restore is about to put back.
    var expected: PutBackState?
    private let hasher = Hasher256()
    private let coder: PageCoder
    private let page: UnsafeMutableRawBufferPointer
    private let before: UnsafeMutableRawBufferPointer

    /// - Parameter buffer: of two pages; lives as long as the encoder.
    init(
        _ geometry: PageGeometry, after end: CapturedEnd, versions: PageVersions,
        coder: PageCoder, buffer: UnsafeMutableRawBufferPointer
    ) {
        self.geometry = geometry
        self.end = end
        self.versions = versions
        self.coder = coder
        page = UnsafeMutableRawBufferPointer(rebasing: buffer[..<geometry.pageSize])
        before = UnsafeMutableRawBufferPointer(
            rebasing: buffer[geometry.pageSize..<2 * geometry.pageSize])
    }

    mutating func beginLog() {
        versions.forgetFrames()
    }

    /// The look that found nothing new.
    mutating func look(at moment: Record.Moment) {
        end.lastLook = moment.wall
    }

    /// - Parameters:
    ///   - leaning: whether pages are encoded against their versions before; without, they are
    ///     taken as they are, which is several times as fast.
    ///   - isCut: whether no other database changed around the commit.
    mutating func encode(
        _ commit: LoggedCommit, from files: (database: PagerFile, log: PagerFile),
        by tail: LogTail, seen: Record.Moment, leaning: Bool, isCut: Bool
    ) throws -> ChangeSet {
        var entries: [PageTableEntry] = []
        var bodies: [UInt8] = []
        let table = TableHasher()
        for (number, frame) in try pages(of: commit) where number != geometry.lockPage {
            let existed = number <= end.pageCount
            let leans = leaning && existed && versions.mayLean(number)
            let isKnown = existed && known[number] != nil
            if leans || frame == nil || existed && !isKnown {
                try versions.read(number, from: files, by: tail, into: before)
            }
            if existed {
                end.root.subtract(known[number] ?? contribution(of: number, before))
            }
            if let frame {
                try files.log.read(into: page, at: tail.pageOffset(ofFrame: frame))
            } else {
                page.copyMemory(from: UnsafeRawBufferPointer(before))
            }
            let bytes = UnsafeRawBufferPointer(page)
            let hash = PageHash.hash(of: number, bytes, with: hasher)
            let added = number == 1 ? contribution(of: 1, page) : hash
            end.root.add(added)
            if number == 1 { firstPage = added }
            remember(added, of: number)
            let start = bodies.count
            let codec: PageCodec
            if leaning {
                codec = coder.encode(
                    bytes, previous: leans ? UnsafeRawBufferPointer(before) : nil, into: &bodies)
            } else {
                // Sealing compresses it.
                bodies.append(contentsOf: bytes)
                codec = .stored
            }
            versions.note(codec, of: number)
            table.add(page: number, hash: hash)
            entries.append(
                PageTableEntry(
                    page: number, hash: hash, codec: codec, length: bodies.count - start))
        }
        try dropPages(after: commit.pageCount, files, tail)
        versions.apply(commit)
        let record = advance(
            commit, table: table.finish(), count: entries.count, seen: seen, isCut: isCut)
        return ChangeSet(record: record, entries: entries, bodies: bodies)
    }

    /// The pages a commit wrote, and those by which the database grew that it did not write.
    private func pages(
        of commit: LoggedCommit
    ) throws -> [(page: UInt32, frame: UInt32?)] {
        let written = commit.pages.map { (page: $0.page, frame: UInt32?.some($0.frame)) }
        guard commit.pageCount > end.pageCount else { return written }
        let grown = Set(commit.pages.lazy.map(\.page).filter { $0 > end.pageCount })
        let unwritten = commit.pageCount - end.pageCount - UInt32(grown.count)
        guard unwritten <= ChangeEncoder.unwrittenLimit else {
            throw FormatError("a commit that makes the database \(unwritten) pages longer")
        }
        guard unwritten > 0 else { return written }
        let missing = (end.pageCount + 1...commit.pageCount).lazy.filter { !grown.contains($0) }
        return (written + missing.map { ($0, nil) }).sorted { $0.page < $1.page }
    }

    private mutating func dropPages(
        after pageCount: UInt32, _ files: (database: PagerFile, log: PagerFile), _ tail: LogTail
    ) throws {
        guard pageCount < end.pageCount else { return }
        for number in pageCount + 1...end.pageCount where number != geometry.lockPage {
            try versions.read(number, from: files, by: tail, into: before)
            end.root.subtract(contribution(of: number, before))
            known[number] = nil
        }
    }

    private mutating func remember(_ contribution: Digest, of page: UInt32) {
        if known.count >= ChangeEncoder.knownLimit { known.removeAll(keepingCapacity: true) }
        known[page] = contribution
    }

    private func contribution(
        of number: UInt32, _ bytes: UnsafeMutableRawBufferPointer
    ) -> Digest {
        let bytes = UnsafeRawBufferPointer(bytes)
        return number == 1
            ? PageHash.rootContribution(ofFirst: bytes, with: hasher)
            : PageHash.hash(of: number, bytes, with: hasher)
    }

    private mutating func advance(
        _ commit: LoggedCommit, table: Digest, count: Int, seen: Record.Moment, isCut: Bool
    ) -> Record {
        var record = Record(
            kind: .commit,
            position: Position(epoch: end.position.epoch, sequence: end.position.sequence + 1),
            seen: seen, notBefore: end.lastLook, database: 0, pageSize: geometry.pageSize,
            pageCount: commit.pageCount, stateRoot: end.root.digest, previous: end.chain,
            tableHash: table)
        record.tableCount = UInt32(count)
        record.isCut = isCut
        end.position = record.position
        end.chain = record.chain
        end.pageCount = commit.pageCount
        return record
    }

    /// What comes next continues another record, with the content of now.
    mutating func goOn(behind record: Record) {
        end.position = record.position
        end.chain = record.chain
        // On that record's chain, other versions came before.
        versions.forgetChains()
    }

    func currentFirstPage(
        from files: (database: PagerFile, log: PagerFile), _ tail: LogTail
    ) throws(SQLiteError) -> [UInt8] {
        try versions.read(1, from: files, by: tail, into: before)
        return Array(before)
    }
}
