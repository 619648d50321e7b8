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

    init(in directory: FilePath, of identity: StreamIdentity, on disk: any Disk) throws {
        let numbers = try disk.entries(of: directory)
            .filter { $0.kind == .regular }
            .compactMap { JournalName.number(of: $0.name) }.sorted()
        var readers: [PartReader] = []
        for number in numbers {
            guard let reader = try PartReader(number, in: directory, of: identity, on: disk),
                try !reader.isVoid()
            else {
                let path = directory.appending(JournalName.part(number))
                let size = try disk.entry(at: path)?.size ?? 0
                parts.append(JournalPart(number: number, size: size, counted: 0, isWhole: false))
                continue
            }
            readers.append(reader)
        }
        if readers.isEmpty, let first = numbers.first, first != 1 {
            throw JournalError.damage(
                directory.appending(JournalName.part(first)), "no part before it is left")
        }
        next = (numbers.last ?? 0) + 1
        for (index, reader) in readers.enumerated() {
            let following = index + 1 < readers.count ? readers[index + 1].head.link : nil
            do {
                try read(reader, upTo: following)
            } catch let error as FormatError {
                throw JournalError.damage(reader.path, "\(error)")
            }
        }
        parts.sort { $0.number < $1.number }
    }

    private mutating func read(_ opened: PartReader, upTo following: Digest?) throws {
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
