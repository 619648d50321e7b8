import Codec
import Testing

@testable import Timeline

@Suite struct CaptureRootTests {
    private func digest(_ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { Digest(bytes: $0) }
    }

    private func random() -> Digest {
        digest((0..<32).map { _ in .random(in: 0...255) })
    }

    @Test func orderDoesNotMatterAndSubtractingUndoesAdding() {
        let digests = (0..<100).map { _ in random() }
        var forward = StateRoot()
        var backward = StateRoot()
        for digest in digests { forward.add(digest) }
        for digest in digests.reversed() { backward.add(digest) }
        #expect(forward == backward)
        #expect(StateRoot(forward.digest) == forward)
        for digest in digests.shuffled() { forward.subtract(digest) }
        #expect(forward == StateRoot())
        #expect(forward.digest == .zero)
    }

    @Test func sumCarriesThroughAllWordsAndWrapsAround() {
        let one = digest([UInt8](repeating: 0, count: 31) + [1])
        var root = StateRoot(digest([UInt8](repeating: 255, count: 32)))
        root.add(one)
        #expect(root.digest == .zero)
        root.subtract(one)
        #expect(root.digest == digest([UInt8](repeating: 255, count: 32)))
        var carry = StateRoot(
            digest([UInt8](repeating: 0, count: 24) + [UInt8](repeating: 255, count: 8)))
        carry.add(one)
        #expect(
            carry.digest
                == digest([UInt8](repeating: 0, count: 23) + [1] + [UInt8](repeating: 0, count: 8)))
    }

    @Test func equalPagesCountAsOftenAsTheyOccur() {
        let page = random()
        var once = StateRoot()
        once.add(page)
        var twice = once
        twice.add(page)
        #expect(once != twice)
        twice.subtract(once)
        #expect(twice == once)
    }

    @Test func pageHashDependsOnTheNumberAndTheBytes() {
        let hasher = Hasher256()
        let page = [UInt8](repeating: 7, count: 512)
        page.withUnsafeBytes { bytes in
            let known = [UInt8]([0, 0, 1, 2]).withUnsafeBytes { hasher.digest($0, bytes) }
            #expect(PageHash.hash(of: 258, bytes, with: hasher) == known)
            #expect(PageHash.hash(of: 259, bytes, with: hasher) != known)
        }
    }

    @Test func rootIgnoresJournalModeAndChangeCounterOfTheFirstPageOnly() {
        let hasher = Hasher256()
        var page = [UInt8]((0..<512).map { UInt8(truncatingIfNeeded: $0) })
        func contribution() -> Digest {
            page.withUnsafeBytes { PageHash.rootContribution(ofFirst: $0, with: hasher) }
        }
        let known = contribution()
        for index in page.indices {
            let old = page[index]
            page[index] ^= 0xff
            let isIgnored = 18...19 ~= index || 24...27 ~= index || 92...95 ~= index
            #expect((contribution() == known) == isIgnored, "byte \(index)")
            page[index] = old
        }
    }
}
