import Codec
import Platform
import Repository

/// What is found in the directory of a journal.
struct JournalContents {
    /// Oldest first, those that count for nothing too.
    private(set) var parts: [JournalPart] = []
    /// The number of the next part.
    private(set) var next: UInt64 = 1
    private(set) var link = Digest.zero
    private(set) var end: JournalEnd?
    /// The last batch of the last part, which nothing vouches for; parts, link and end are without.
    private(set) var doubt: (batch: Batch, run: BatchRun)?

    /// What cannot be read, where it may be left out.
    private(set) var damage: JournalDamage?
    /// Batches that are whole in the hurt part; parts, link and end are without.
    private(set) var rescued: [(batch: Batch, run: BatchRun)] = []

    /// - Parameters:
    ///   - leavesOutDamage: ends before what is hurt, instead of throwing `damaged`.
    ///   - known: damage that was found already, and may look like a torn append.
    init(
        in directory: FilePath, of identity: StreamIdentity, on disk: any Disk,
        leavesOutDamage: Bool = false, known: JournalError? = nil
    ) throws {
        let entries = try disk.entries(of: directory).filter { $0.kind == .regular }
        let numbers = entries.compactMap { JournalName.number(of: $0.name) }.sorted()
        next = (entries.compactMap { JournalName.anyNumber(of: $0.name) }.max() ?? 0) + 1
        var readers: [PartReader] = []
        for number in numbers {
            do {
                if let reader = try open(number, in: directory, of: identity, on: disk) {
                    readers.append(reader)
                } else if let known, known.path == path(number, in: directory) {
                    throw known
                }
                guard !readers.isEmpty || number != numbers.last || numbers.first == 1 else {
                    throw JournalError.damage(
                        path(number, in: directory), "no part before it is left")
                }
            } catch let error as JournalError where error.code == .damaged && leavesOutDamage {
                leaveOut(numbers.filter { $0 >= number }, because: error)
                break
            }
        }
        for (index, reader) in readers.enumerated() {
            let following = index + 1 < readers.count ? readers[index + 1].head.link : nil
            do {
                try read(reader, upTo: following)
                if let known, known.path == reader.path { throw known }
            } catch let error as JournalError where error.code == .damaged && leavesOutDamage {
                leaveOut(numbers.filter { $0 >= reader.head.number }, because: error)
                try rescue(reader)
                break
            }
        }
        parts.sort { $0.number < $1.number }
    }

    private func path(_ number: UInt64, in directory: FilePath) -> FilePath {
        directory.appending(JournalName.part(number))
    }

    /// Nil, and noted, where a part counts for nothing.
    private mutating func open(
        _ number: UInt64, in directory: FilePath, of identity: StreamIdentity, on disk: any Disk
    ) throws -> PartReader? {
        if let reader = try PartReader(number, in: directory, of: identity, on: disk),
            try !reader.isVoid()
        {
            return reader
        }
        let size = try disk.entry(at: path(number, in: directory))?.size ?? 0
        parts.append(JournalPart(number: number, size: size, counted: 0, isWhole: false))
        return nil
    }

    private mutating func leaveOut(_ numbers: [UInt64], because error: JournalError) {
        damage = JournalDamage(reason: error, parts: numbers)
        parts.removeAll { numbers.contains($0.number) }
    }

    /// The batches of a hurt part up to the first that is not whole.
    private mutating func rescue(_ opened: PartReader) throws {
        var reader = opened
        (link, end, doubt) = (reader.link, reader.head.end, nil)
        while let batch = try reader.next() {
            do {
                rescued.append((batch, try BatchRun(of: batch, upTo: reader.offset)))
            } catch is FormatError {
                return
            }
        }
    }

    private mutating func read(_ reader: PartReader, upTo following: Digest?) throws {
        do {
            try readBatches(of: reader, upTo: following)
        } catch let error as FormatError {
            throw JournalError.damage(reader.path, "\(error)")
        }
    }

    private mutating func readBatches(
        of opened: PartReader, upTo following: Digest?
    ) throws {
        var reader = opened
        var part = JournalPart(
            number: reader.head.number, size: reader.size, counted: reader.offset, isWhole: true)
        link = reader.link
        end = reader.head.end
        while reader.link != following, let batch = try reader.next() {
            if let doubt { take(doubt.run, into: &part, ending: doubt.batch) }
            doubt = (batch, try BatchRun(of: batch, upTo: reader.offset))
        }
        if let following {
            guard reader.link == following else {
                throw JournalError.damage(
                    reader.path, "the batch at byte \(reader.offset) is hurt or missing")
            }
            if let doubt { take(doubt.run, into: &part, ending: doubt.batch) }
            doubt = nil
        } else {
            try reader.requireTornTail()
        }
        parts.append(part)
    }

    private mutating func take(
        _ run: BatchRun, into part: inout JournalPart, ending batch: Batch
    ) {
        part.count(
            first: run.first, last: run.end.position, records: run.records, upTo: run.upTo)
        link = batch.hash
        end = run.end
    }
}

/// What of a journal cannot be read.
struct JournalDamage {
    let reason: JournalError
    /// The numbers of the hurt part and of those behind it, which continue what is lost.
    let parts: [UInt64]
}

/// What a batch holds.
struct BatchRun {
    let first: Position
    let end: JournalEnd
    let records: Int
    /// Where the batch ends in its part.
    let upTo: UInt64

    init(of batch: Batch, upTo: UInt64) throws {
        var found: (first: Position, end: JournalEnd)?
        var records = 0
        try batch.forEach { change in
            let end = JournalEnd(of: change.record)
            found = (found?.first ?? end.position, end)
            records += 1
        }
        guard let found else { throw FormatError("a batch of nothing") }
        self.init(first: found.first, end: found.end, records: records, upTo: upTo)
    }

    init(first: Position, end: JournalEnd, records: Int, upTo: UInt64) {
        self.first = first
        self.end = end
        self.records = records
        self.upTo = upTo
    }
}
