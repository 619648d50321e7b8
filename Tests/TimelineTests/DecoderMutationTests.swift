import Codec
import Platform
import Repository
import SQLite
import Simulation
import Testing

@testable import Timeline

/// Every decoder answers hurt bytes with an error, or reads them as something that is valid; it
/// never crashes, hangs or asks for much memory.
@Suite struct DecoderMutationTests {
    private static let rounds = DecoderTrial.rounds
    private typealias Decoder = DecoderTrial.Decoder

    private static let digest = Hasher256.digest(Array("sample".utf8))

    private static var record: Record {
        var record = Record(
            kind: .commit, position: Position(epoch: 2, sequence: 300),
            seen: Record.Moment(
                wall: Timestamp(seconds: 1_700_000_000, nanoseconds: 9), boot: 1 << 40,
                bootID: [UInt8](repeating: 4, count: 16)),
            notBefore: Timestamp(seconds: 1_700_000_000, nanoseconds: 1), database: 0,
            pageSize: 4096, pageCount: 70_000, stateRoot: digest, previous: digest,
            tableHash: digest)
        record.tableCount = 500
        record.tableBlobs = 1
        record.bodyBlobs = 2
        return record
    }

    private static let identity = StreamIdentity(
        stream: [UInt8](repeating: 3, count: 16), host: "alpha", path: Array("/srv/app.db".utf8))

    private static var table: [PageTableEntry] {
        (1...20).map {
            PageTableEntry(page: $0 * $0, hash: digest, codec: .dictionary, length: Int($0))
        }
    }

    private static var changeSet: ChangeSet {
        var stream = SampleStream(seed: 12)
        return stream.commit(pages: 20, bodyBytes: 40)
    }

    private static var head: PartHead {
        PartHead(
            number: 5, beginsWithBatch: true, link: digest,
            end: JournalEnd(position: Position(epoch: 2, sequence: 300), chain: digest),
            identity: identity)
    }

    private static var outcomes: [GroupOutcome] {
        [
            GroupOutcome(
                sum: StateRoot(digest),
                content: .base(hashes: [digest, digest, .zero], blob: BlobID(digest))),
            GroupOutcome(
                sum: StateRoot(digest),
                content: .changes(table, bodies: [UInt8](repeating: 1, count: 210))),
        ]
    }

    private static let segment = ObjectName(.segments, String(repeating: "0", count: 64))

    private static var decoders: [(name: String, sample: [UInt8], decode: Decoder)] {
        let handles = [3, 9].map { entry in
            RecordHandle(
                record: record, chain: record.chain, segment: segment, storedBytes: 700,
                index: entry / 3 - 1, entry: entry, firstEntry: entry - 2)
        }
        let note = SegmentNote(identity, of: handles)?.encoded ?? []
        let summary = SegmentSummary(of: handles)?.encoded ?? []
        return [
            ("record", record.encoded, { _ = try Record(decoding: $0) }),
            ("stream", identity.encoded, { _ = try StreamIdentity(decoding: $0) }),
            ("page table", PageTable.encode(table), { _ = try PageTable.decode($0) }),
            ("change set", changeSet.encoded, { _ = try ChangeSet(decoding: $0) }),
            ("head of a part", head.encoded, { _ = try PartHead(decoding: $0) }),
            ("segment note", note, { _ = try SegmentNote(decoding: $0, of: segment) }),
            ("segment summary", summary, { _ = try SegmentSummary(decoding: $0, number: 1) }),
            ("base group", outcomes[0].encoded, { _ = try GroupOutcome(decoding: $0) }),
            ("changed group", outcomes[1].encoded, { _ = try GroupOutcome(decoding: $0) }),
        ]
    }

    @Test func aMutatedInputIsRefusedOrRead() {
        let decoders = Self.decoders
        #expect(DecoderTrial.findings(of: decoders, seed: 0x5469_6D65) == [])
        print("decoders of Timeline: \(decoders.count), \(Self.rounds) mutations each")
    }

    @Test func aRecordThatIsReadFromHurtBytesIsWrittenAsItWasRead() throws {
        let random = SeededRandomness(seed: 79)
        for round in 0..<Self.rounds {
            let bytes = random.mutated(Self.record.encoded)
            guard let record = try? Record(decoding: bytes) else { continue }
            #expect(record.encoded == bytes, "round \(round) of seed 79")
        }
    }

    @Test func aChangeSetThatIsReadFromHurtBytesIsWrittenAsItWasRead() throws {
        let random = SeededRandomness(seed: 81)
        for round in 0..<Self.rounds {
            let bytes = random.mutated(Self.changeSet.encoded)
            guard let changes = try? ChangeSet(decoding: bytes) else { continue }
            #expect(changes.encoded == bytes, "round \(round) of seed 81")
        }
    }

    @Test func aMutatedPageIsRefusedOrDecoded() throws {
        let scene = try StreamScene(seed: 5)
        let tools = Tools(scene.repository, level: .fast)
        let coder = PageCoder(tools)
        let random = SeededRandomness(seed: 80)
        let before = Array(repeatElement(Array("some words of a page ".utf8), count: 200).joined())
            .prefix(4096)
        var page = Array(before)
        for index in 0..<40 { page[index * 90] ^= 0x15 }
        var body: [UInt8] = []
        let codec = page.withUnsafeBytes { page in
            before.withUnsafeBytes { coder.encode(page, previous: $0, into: &body) }
        }
        #expect(codec == .dictionary)
        var refused = 0
        for _ in 0..<Self.rounds {
            let hurt = random.mutated(body)
            let codec: PageCodec = [.dictionary, .zlib, .stored][random.below(3)]
            var target = Array(before)
            do {
                try target.withUnsafeMutableBytes {
                    try coder.decode(hurt[...], codec, over: $0)
                }
            } catch {
                refused += 1
            }
        }
        #expect(refused > Self.rounds / 2)
    }
}
