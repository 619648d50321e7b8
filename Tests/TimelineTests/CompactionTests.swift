import Codec
import Platform
import Repository
import Simulation
import Testing

@testable import Timeline

/// Outside the window, what lies between kept states is forgotten, and nothing else.
@Suite struct CompactionTests {
    @Test func whatLiesBetweenKeptStatesGoesAndEveryKeptStateComesBack() throws {
        let scene = try CompactionScene(seed: 31)
        try scene.chain.commit(300, perSegment: 37)
        scene.named = [50, 51, 120, 200]
        let before = try scene.segmentBytes
        let report = try scene.prune()
        #expect(report.failures.isEmpty && report.forgotten > 200)
        #expect(try scene.segmentBytes < before / 2)
        try scene.expectKeptStates()
        // The base is the first; a segment in which the window begins stays as it is.
        let restorable = try scene.restorable()
        let kept = scene.named.union([1]).union(260...301)
        #expect(restorable == kept)
        let recovery = try DatabaseRecovery(from: scene.chain.repository)
        for sequence in UInt64(2)...301 where !kept.contains(sequence) {
            let reference = try #require(scene.chain.references[sequence])
            #expect(throws: RepositoryError.self) { try recovery.path(to: reference) }
        }
    }

    @Test(arguments: UInt64(0)..<UInt64(TestShare.count(share: 2, whole: 12)))
    func howeverOftenAWindowMovesOnEveryKeptStateComesBack(_ seed: UInt64) throws {
        let scene = try CompactionScene(seed: 40 + seed, rows: 12)
        let random = SeededRandomness(seed: seed)
        for _ in 0..<TestShare.count(share: 5, whole: 20) {
            try scene.chain.commit(40 + random.below(60), perSegment: 1 + random.below(30))
            // Snapshots are made of what can be restored, and forgotten again.
            scene.named = scene.named.filter { _ in !random.chance(1, in: 3) }
            let states = try scene.restorable().intersection(scene.chain.states.keys).sorted()
            for _ in 0..<3 { scene.named.insert(states[random.below(states.count)]) }
            scene.window = 10 + random.below(40)
            let report = try scene.prune()
            #expect(report.failures.isEmpty)
            try scene.expectKeptStates()
            #expect(try scene.prune().written == 0, "nothing is left to merge")
        }
    }

    @Test func aMergeThatWouldSaveLittleIsNotDone() throws {
        let scene = try CompactionScene(seed: 32)
        try scene.chain.commit(50, perSegment: 1)
        scene.named = Set(2...29).subtracting([20])
        let segments = try scene.place.list(.segments).count
        #expect(try scene.prune().written <= 1)
        #expect(try scene.place.list(.segments).count >= segments - 1)
        try scene.expectKeptStates()
    }

    @Test func aStateWhoseRootDoesNotFitIsLeftUnmergedAndSaid() throws {
        let scene = try CompactionScene(seed: 33)
        try scene.chain.commit(60, perSegment: 20)
        scene.chain.spoilsRoots = true
        try scene.chain.commit(1)
        scene.chain.spoilsRoots = false
        try scene.chain.commit(60, perSegment: 20)
        scene.named = [62]
        let before = Set(try scene.place.list(.segments).map(\.name))
        let report = try scene.merge()
        #expect(report.failures.count == 1 && report.written == 0)
        #expect(try scene.needs().segments == before)
    }

    @Test func whatCannotBeReadIsLeftUnmergedAndSaid() throws {
        let scene = try CompactionScene(seed: 34)
        try scene.chain.commit(100, perSegment: 25)
        let stream = try scene.stream()
        let hurt = try #require(
            try stream.records(at: Position(epoch: 1, sequence: 30)).first)
        let reader = try SegmentReader(
            hurt.segment, in: scene.chain.repository, with: BlobOpener(scene.chain.repository))
        let body = try #require(reader.blobs(of: hurt, kind: .pageBodies).first)
        var bytes = try #require(scene.place.contents(hurt.segment))
        bytes[Int(reader.entries[body].offset) + BlobHeader.size] ^= 1
        scene.place.tamper(hurt.segment, bytes)
        let report = try scene.merge()
        #expect(report.failures.count == 1)
        #expect(try scene.needs().segments.contains(hurt.segment))
    }

    /// A merged segment that nobody has proved is there beside the ones it was made of.
    @Test func aMergedSegmentThatProvesWrongIsGivenUp() throws {
        let scene = try CompactionScene(seed: 35)
        try scene.chain.commit(100, perSegment: 50)
        let before = Set(try scene.place.list(.segments).map(\.name))
        let bogus = try bogusMerge(of: 2...51, in: scene)
        let report = try scene.prune()
        #expect(report.failures.count == 1)
        #expect(try scene.place.list(.marks).map(\.name.name) == [bogus.name])
        #expect(before.isSubset(of: Set(try scene.place.list(.segments).map(\.name))))
        try scene.place.remove([bogus, ObjectName(.marks, bogus.name)])
        #expect(try scene.prune().failures.isEmpty)
        try scene.expectKeptStates()
    }

    private func bogusMerge(
        of range: ClosedRange<UInt64>, in scene: CompactionScene
    ) throws -> ObjectName {
        let stream = try scene.stream()
        var records = try range.map { sequence in
            try #require(
                try stream.records(at: Position(epoch: 1, sequence: sequence)).first
            ).record
        }
        let lease = try HeldLease(
            on: scene.place, purpose: "prune", world: scene.chain.repository.world)
        let writer = try SegmentWriter(
            of: scene.chain.identity, in: scene.chain.repository, under: lease)
        var last = records.removeLast()
        try writer.append(ForgottenRecords.encode(records[...]), kind: .forgottenRecords)
        (last.tableBlobs, last.bodyBlobs) = (0, 0)
        let table = MergedTable(covered: records.count, count: 0, hash: TableHasher().finish())
        try writer.append(MergedRecord(last, table).encoded, kind: .mergedRecord)
        let pending = try writer.finish()
        try pending.publish(in: scene.chain.repository, under: lease)
        try lease.end()
        return pending.pack.name
    }

    @Test func whatWasMergedAndNotYetRemovedIsProvedAndUsedByTheNextRun() throws {
        let scene = try CompactionScene(seed: 36)
        try scene.chain.commit(100, perSegment: 10)
        scene.named = [30]
        #expect(try scene.merge().written > 0)
        let again = try scene.merge()
        #expect(again.written == 0 && again.failures.isEmpty)
        #expect(try scene.needs().unneeded.count >= 7)
        try scene.expectKeptStates()
        // While the old segments are there, so are their states.
        #expect(try scene.restorable().count == 101)
    }

    @Test func aRestoreThatRunsReadsOnWhileItsSegmentsAreReplaced() throws {
        let scene = try CompactionScene(seed: 37)
        try scene.chain.commit(100, perSegment: 10)
        let reference = try #require(scene.chain.references[35])
        let recovery = try DatabaseRecovery(from: scene.chain.repository)
        let path = try recovery.path(to: reference)
        #expect(try scene.merge().written > 0)
        // Nothing was removed yet: who began before finds all it has listed.
        var cursor = try StateCursor(over: path, wantsBodies: true)
        var bytes: [UInt8] = []
        let tools = Tools(scene.chain.repository, level: .fast)
        while let plan = try cursor.next() { bytes += try plan.build(with: tools) }
        #expect(Hasher256.digest(bytes) == scene.chain.states[35])
    }

    @Test func whoeverGoesBackLeavesSegmentsAloneThatAreMarked() throws {
        let scene = try CompactionScene(seed: 39)
        try scene.chain.commit(100, perSegment: 10)
        scene.named = [30]
        try scene.merge()
        let marked = try scene.needs().unneeded
        for name in marked {
            try scene.place.create(
                ObjectName(.marks, name.name), ControlFile(kind: "mark", fields: []).encoded)
        }
        try scene.chain.repository.refresh()
        let stream = try scene.stream()
        for sequence in UInt64(1)...101 {
            let position = Position(epoch: 1, sequence: sequence)
            let path = try stream.path(to: #require(try stream.records(at: position).first))
            let isLeft = try scene.needs().segments.isSuperset(of: path.segments)
            // What was forgotten is there as long as its segment is.
            #expect(isLeft == (sequence == 1 || sequence == 30 || sequence >= 71), "\(sequence)")
        }
    }

    @Test func aForgottenMomentIsAnsweredWithTheNearestStatesOnBothSides() throws {
        let scene = try CompactionScene(seed: 38)
        try scene.chain.commit(100, perSegment: 10)
        scene.named = [30, 60]
        try scene.prune()
        let stream = try scene.stream()
        let history = try History(of: stream)
        let moment = try #require(
            try stream.records(at: Position(epoch: 1, sequence: 45)).first
        ).record.seen.wall
        let search = MomentSearch(in: history, now: moment.adding(nanoseconds: 1 << 60))
        guard case .between(let before, let after, .forgotten) = try search.find(moment) else {
            Issue.record("a forgotten state was given")
            return
        }
        #expect(before?.position.sequence == 30 && after?.position.sequence == 60)
        var left: [UInt64] = []
        try history.forEachNewestFirst { handle, place in
            if try history.isRestorable(at: place) { left.append(handle.position.sequence) }
            return true
        }
        #expect(Set(left) == (try scene.restorable()))
    }
}
