import Codec
import Platform
import Repository
import Simulation
import Testing

@testable import Timeline

/// A process that appends to a journal, seals and removes parts, and starts again now and then.
private final class JournalProcess {
    let disk: SimulatedDisk
    private let random: SeededRandomness
    private var stream: SampleStream
    private var journal: Journal?
    /// What append has returned for.
    private(set) var kept: [ChangeSet] = []
    /// The batch whose append failed last, if nothing was appended since.
    private(set) var doubtful: [ChangeSet] = []
    /// Records of parts whose removal has returned.
    private(set) var removed = 0
    /// The same with the part whose removal was begun.
    private(set) var removing = 0

    init(on disk: SimulatedDisk, seed: UInt64) {
        self.disk = disk
        random = SeededRandomness(seed: seed)
        stream = SampleStream(seed: seed)
    }

    /// Goes on after each error, so many times; throws the one after that.
    func run(steps: Int, surviving failures: Int) throws {
        var left = failures
        for _ in 0..<steps {
            do {
                try step()
            } catch is SystemError where left > 0 {
                left -= 1
            }
        }
    }

    private func step() throws {
        let journal = try self.journal ?? open()
        self.journal = journal
        if random.chance(1, in: 9) { self.journal = nil }
        if random.chance(1, in: 5) { try removeParts(of: journal) }
        try append(to: journal)
    }

    private func open() throws -> Journal {
        let journal = try Journal.sample(on: disk)
        // What an append failed for is there all the same, or it never will be.
        if let last = doubtful.last, journal.end == JournalEnd(of: last.record) {
            kept += doubtful
            stream = SampleStream(seed: random.next(), after: JournalEnd(of: last.record))
        }
        doubtful = []
        return journal
    }

    private func append(to journal: Journal) throws {
        var ahead = SampleStream(seed: random.next(), after: stream.end)
        let batch = (0...random.below(3)).map { _ in ahead.commit() }
        do {
            try journal.append(batch)
        } catch {
            doubtful = batch
            throw error
        }
        kept += batch
        doubtful = []
        stream = ahead
    }

    private func removeParts(of journal: Journal) throws {
        for part in journal.rotate().prefix(1 + random.below(3)) {
            removing = Int(part.last?.sequence ?? 0)
            try journal.remove(part)
            removed = removing
        }
    }

    /// Holds what a disk has against what was promised; answers the records found, and the end.
    @discardableResult
    func check(
        _ disk: SimulatedDisk, _ what: String
    ) throws -> (records: [ChangeSet], end: JournalEnd?) {
        let journal = try Journal.sample(on: disk)
        let found = try journal.allChangeSets()
        let all = kept + doubtful
        let ends = [kept.count, all.count]
        #expect(
            ends.contains { end in
                (removed...removing).contains(end - found.count)
                    && found == Array(all[(end - found.count)..<end])
            }, "\(what): \(found.count) records; \(kept.count) kept, \(removed) removed")
        let last = found.last ?? kept.last
        if let last { #expect(journal.end == JournalEnd(of: last.record), "\(what)") }
        return (found, journal.end)
    }

    /// A journal that was found can be gone on with.
    func goOn(_ disk: SimulatedDisk, after found: [ChangeSet], _ what: String) throws {
        let journal = try Journal.sample(on: disk)
        var ahead = SampleStream(seed: 1, after: journal.end ?? stream.end)
        let more = ahead.commit()
        try journal.append([more])
        #expect(try journal.allChangeSets() == found + [more], "\(what)")
    }

    func end() { journal = nil }
}

@Suite struct JournalCrashTests {
    private static let seeds = UInt64(TestShare.count(share: 3, whole: 100))
    private static let steps = 24

    private static func operations(of seed: UInt64) throws -> Int {
        let process = JournalProcess(on: SimulatedDisk(), seed: seed)
        try process.run(steps: steps, surviving: 0)
        return process.disk.operationCount
    }

    @Test func whatWasAppendedSurvivesAPowerFailureAtEveryOperation() throws {
        var crashes = 0
        for seed in 1...Self.seeds {
            for operation in 0...(try Self.operations(of: seed)) {
                let disk = SimulatedDisk()
                let process = JournalProcess(on: disk, seed: seed)
                disk.crash(afterOperations: operation)
                _ = try? process.run(steps: Self.steps, surviving: 0)
                let what = "seed \(seed), power cut after operation \(operation)"
                try Self.checkAfterCrash(process, disk, seed &* 7919 &+ UInt64(operation), what)
                crashes += 1
            }
        }
        print("journal: \(crashes) power failures")
    }

    /// The power fails again while the journal is opened.
    private static func checkAfterCrash(
        _ process: JournalProcess, _ crashed: SimulatedDisk, _ seed: UInt64, _ what: String
    ) throws {
        let first = crashed.afterCrash(seed: seed)
        let again = first.copy()
        again.crash(afterOperations: Int(seed % 6))
        _ = try? Journal.sample(on: again)
        let disk = again.afterCrash(seed: seed &+ 1)
        // What one look has counted is there for the next one.
        let found = try process.check(first, what)
        let later = try process.check(
            first.afterCrash(seed: seed &+ 2), what + ", looked and cut again")
        #expect(later.end == found.end, "\(what)")
        try process.check(disk, what + ", cut again")
        try process.goOn(first, after: found.records, what)
    }

    @Test(arguments: [Errno.noSpace, .inputOutput])
    func anErrorAtEveryOperationCostsNothingThatWasAppended(_ errno: Errno) throws {
        var failures = 0
        for seed in 1...Self.seeds {
            for operation in 1...(try Self.operations(of: seed)) {
                let disk = SimulatedDisk()
                let process = JournalProcess(on: disk, seed: seed)
                disk.failing(atOperation: operation, errno: errno)
                if operation % 3 == 0 { disk.failing(atOperation: operation + 1, errno: errno) }
                let what = "seed \(seed), \(errno) at operation \(operation)"
                try process.run(steps: Self.steps, surviving: 2)
                process.end()
                // The process ends, and finds what the kernel still has; then the power fails.
                let next = disk.afterProcessEnd()
                let found = try process.check(next, what)
                let later = next.afterCrash(seed: seed &+ UInt64(operation))
                #expect(try process.check(later, what + ", power cut").end == found.end)
                try process.goOn(next, after: found.records, what)
                failures += 1
            }
        }
        print("journal: \(failures) errors, \(errno)")
    }

    /// A process that dies right after a failure: the kernel shows what never came to the disk.
    @Test func whatAFailedSyncLeftInTheCacheCountsOnlyOnceItIsWrittenAgain() throws {
        for seed in 1...Self.seeds {
            for operation in 1...(try Self.operations(of: seed)) {
                let disk = SimulatedDisk()
                let process = JournalProcess(on: disk, seed: seed)
                for more in 0..<8 {
                    disk.failing(atOperation: operation + more, errno: .inputOutput)
                }
                _ = try? process.run(steps: Self.steps, surviving: 0)
                process.end()
                let what = "seed \(seed), dead after operation \(operation)"
                let next = disk.afterProcessEnd()
                let found = try process.check(next, what)
                let later = next.afterCrash(seed: seed &+ UInt64(operation))
                #expect(try process.check(later, what + ", power cut").end == found.end)
            }
        }
    }

    /// Two parts, the last of several batches.
    private static func whole() throws -> (disk: SimulatedDisk, records: [ChangeSet], last: Int) {
        let disk = SimulatedDisk()
        let journal = try Journal.sample(on: disk, partSize: 1500)
        var stream = SampleStream(seed: 77)
        var records: [ChangeSet] = []
        var last = 0
        while records.count < 8 || disk.files.count < 3 {
            let batch = (0...1).map { _ in stream.commit(pages: 2, bodyBytes: 60) }
            try journal.append(batch)
            records += batch
            last = batch.count
        }
        return (disk, records, last)
    }

    @Test func aFlippedBitInAnyByteIsFoundOrLooksLikeATornLastBatch() throws {
        let (disk, records, last) = try Self.whole()
        var refused = 0
        for path in disk.files {
            let size = disk.contents(path)?.count ?? 0
            for offset in 0..<size {
                let hurt = disk.copy()
                try hurt.corrupt(path, byteAt: offset, xor: 1 << UInt8(offset % 8))
                do {
                    let found = try Journal.sample(on: hurt).allChangeSets()
                    let isTorn = path == disk.files.last && found == records.dropLast(last)
                    #expect(isTorn, "byte \(offset) of \(path)")
                } catch let error as JournalError {
                    #expect(error.code == .damaged || error.code == .anotherStream)
                    refused += 1
                }
            }
        }
        #expect(refused > 500)
    }

    @Test func aMissingPartInTheMiddleIsDamage() throws {
        let (disk, _, _) = try Self.whole()
        for path in disk.files.dropFirst().dropLast() {
            let hurt = disk.copy()
            try hurt.remove(path)
            #expect { try Journal.sample(on: hurt) } throws: {
                ($0 as? JournalError)?.code == .damaged
            }
        }
    }

    /// Opens a journal that may be hurt.
    private static func open(_ disk: SimulatedDisk) throws -> Journal {
        try Journal(
            in: Journal.samplePath, of: SampleStream.identity, on: disk, partSize: 1500,
            setsAsideDamage: true)
    }

    @Test func whatIsWholeBeforeDamageStaysAndTheRestIsSetAside() throws {
        let (disk, records, last) = try Self.whole()
        for path in disk.files {
            for offset in stride(from: 0, to: disk.contents(path)?.count ?? 0, by: 11) {
                let hurt = disk.copy()
                try hurt.corrupt(path, byteAt: offset, xor: 1 << UInt8(offset % 8))
                let journal = try Self.open(hurt)
                let found = try journal.allChangeSets()
                #expect(found == Array(records.prefix(found.count)))
                guard let loss = journal.loss else {
                    #expect(found.count >= records.count - last)
                    continue
                }
                #expect(loss.kept.contains { hurt.contents($0) != nil })
                let rotten = hurt.files.contains { name in
                    var bytes = disk.contents(path) ?? []
                    bytes[offset] ^= 1 << UInt8(offset % 8)
                    return hurt.contents(name) == bytes
                }
                #expect(rotten, "byte \(offset) of \(path) was thrown away")
            }
        }
    }

    @Test func aCutAnywhereWhileDamageIsSetAsideLosesNothingThatIsWhole() throws {
        let (whole, records, _) = try Self.whole()
        let middle = try #require(whole.files.last)
        try whole.corrupt(middle, byteAt: (whole.contents(middle)?.count ?? 0) / 2, xor: 1)
        let expected = try Self.open(whole.copy()).allChangeSets()
        #expect(!expected.isEmpty && expected.count < records.count)
        var operation = 0
        while true {
            let disk = whole.copy()
            disk.crash(afterOperations: operation)
            let isDone = (try? Self.open(disk)) != nil
            let journal = try Self.open(disk.afterCrash(seed: UInt64(operation)))
            #expect(try journal.allChangeSets() == expected, "cut after \(operation)")
            let next = SampleStream(
                seed: 5, after: JournalEnd(of: try #require(expected.last).record))
            var stream = next
            try journal.append([stream.commit()])
            if isDone { break }
            operation += 1
        }
        #expect(operation > 4)
    }
}
