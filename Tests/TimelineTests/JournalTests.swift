import Codec
import Platform
import Repository
import Simulation
import Testing

@testable import Timeline

@Suite struct JournalTests {
    @Test func whatWasAppendedIsThereInOrderAndAfterOpeningAnew() throws {
        let disk = SimulatedDisk()
        var stream = SampleStream(seed: 1)
        var appended: [ChangeSet] = []
        for round in 0..<4 {
            let journal = try Journal.sample(on: disk)
            #expect(journal.end == (round == 0 ? nil : stream.end))
            #expect(try journal.allChangeSets() == appended)
            for count in 1...5 {
                let batch = (0..<count).map { _ in stream.commit() } + [stream.gap()]
                try journal.append(batch)
                appended += batch
                #expect(journal.end == stream.end)
            }
            #expect(journal.records == appended.count)
        }
        let journal = try Journal.sample(on: disk)
        #expect(try journal.allChangeSets() == appended)
    }

    @Test func anAppendIsOneSync() throws {
        let disk = SimulatedDisk()
        var stream = SampleStream(seed: 2)
        let journal = try Journal.sample(on: disk, partSize: 1 << 20)
        try journal.append([stream.commit()])
        let before = disk.operationCount
        try journal.append([stream.commit(), stream.commit(), stream.commit()])
        // One write and one sync.
        #expect(disk.operationCount - before == 2)
    }

    @Test func twoOpenersAtOnceAreRefused() throws {
        let scratch = ScratchFolder()
        for disk in [SimulatedDisk(), LinuxDisk()] as [any Disk] {
            let path = disk is LinuxDisk ? scratch.path.appending("j") : Journal.samplePath
            var first: Journal? = try Journal(in: path, of: SampleStream.identity, on: disk)
            #expect { try Journal(in: path, of: SampleStream.identity, on: disk) } throws: {
                ($0 as? JournalError)?.code == .locked
            }
            _ = first?.bytes
            first = nil
            _ = try Journal(in: path, of: SampleStream.identity, on: disk)
        }
    }

    @Test func theJournalOfAnotherStreamIsRefused() throws {
        let disk = SimulatedDisk()
        var stream = SampleStream(seed: 3)
        do {
            let journal = try Journal.sample(on: disk)
            try journal.append([stream.commit()])
        }
        let other = StreamIdentity(
            stream: [UInt8](repeating: 8, count: 16), host: "alpha", path: [0x2F])
        #expect {
            try Journal(in: Journal.samplePath, of: other, on: disk)
        } throws: {
            ($0 as? JournalError)?.code == .anotherStream
        }
    }

    @Test func aRecordThatContinuesNothingIsRefused() throws {
        let disk = SimulatedDisk()
        var stream = SampleStream(seed: 4)
        let journal = try Journal.sample(on: disk)
        let first = stream.commit()
        try journal.append([first])
        _ = stream.commit()
        let third = stream.commit()
        for wrong in [[third], [first]] {
            #expect { try journal.append(wrong) } throws: {
                ($0 as? JournalError)?.code == .outOfOrder
            }
        }
        var hurt = first
        hurt.bodies.append(0)
        #expect(throws: FormatError.self) { try journal.append([hurt]) }
        #expect(try journal.allChangeSets() == [first])
    }

    @Test func anEpochMayBeginAtAnEarlierRecord() throws {
        let disk = SimulatedDisk()
        var stream = SampleStream(seed: 5)
        let journal = try Journal.sample(on: disk)
        let first = stream.commit()
        let start = stream.end
        let lost = stream.commit()
        let epoch = stream.epoch(at: start)
        let after = stream.commit()
        try journal.append([first, lost, epoch, after])
        #expect(try journal.allChangeSets() == [first, lost, epoch, after])
    }

    @Test func whatTheNextRecordContinuesSurvivesTheRemovalOfAllParts() throws {
        let disk = SimulatedDisk()
        var stream = SampleStream(seed: 6)
        for _ in 0..<3 {
            let journal = try Journal.sample(on: disk)
            for _ in 0..<20 { try journal.append([stream.commit()]) }
            for part in journal.rotate() { try journal.remove(part) }
            #expect(journal.records == 0)
            #expect(journal.end == stream.end)
            #expect(disk.files.count == 1)
        }
        #expect(try Journal.sample(on: disk).end == stream.end)
    }

    @Test func aBaseInBetweenIsContinued() throws {
        let disk = SimulatedDisk()
        var stream = SampleStream(seed: 7)
        let first = stream.commit()
        let base = JournalEnd(
            position: Position(epoch: 1, sequence: 2), chain: Hasher256.digest([2]))
        var later = SampleStream(seed: 8, after: base)
        do {
            let journal = try Journal.sample(on: disk)
            try journal.append([first])
            try journal.resume(after: base)
        }
        let journal = try Journal.sample(on: disk)
        #expect(journal.end == base)
        let second = later.commit()
        try journal.append([second])
        #expect(try journal.allChangeSets() == [first, second])
    }

    @Test func numbersOfPartsAreNeverUsedAgain() throws {
        let disk = SimulatedDisk()
        var stream = SampleStream(seed: 9)
        var last: UInt64 = 0
        for _ in 0..<5 {
            let journal = try Journal.sample(on: disk)
            for _ in 0..<3 { try journal.append([stream.commit()]) }
            for part in journal.rotate() {
                #expect(part.number > last)
                last = part.number
                try journal.remove(part)
            }
        }
    }

    @Test func onlyTheOldestPartIsRemoved() throws {
        let disk = SimulatedDisk()
        var stream = SampleStream(seed: 10)
        let journal = try Journal.sample(on: disk)
        for _ in 0..<30 { try journal.append([stream.commit()]) }
        let parts = journal.rotate()
        #expect(parts.count > 2)
        #expect { try journal.remove(parts[1]) } throws: {
            ($0 as? JournalError)?.code == .outOfOrder
        }
        try journal.remove(parts[0])
        try journal.remove(parts[1])
    }

    @Test func theLinuxDiskKeepsAJournal() throws {
        let scratch = ScratchFolder()
        let path = scratch.path.appending("journal")
        var stream = SampleStream(seed: 11)
        var appended: [ChangeSet] = []
        for _ in 0..<3 {
            let journal = try Journal(
                in: path, of: SampleStream.identity, on: LinuxDisk(), partSize: 3000)
            for _ in 0..<10 {
                let change = stream.commit()
                try journal.append([change])
                appended.append(change)
            }
        }
        let journal = try Journal(in: path, of: SampleStream.identity, on: LinuxDisk())
        #expect(try journal.allChangeSets() == appended)
    }
}
