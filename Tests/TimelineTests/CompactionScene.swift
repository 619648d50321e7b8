import Codec
import Platform
import Repository
import Simulation
import Testing

@testable import Timeline

/// A long chain of commits whose states between kept ones are forgotten.
final class CompactionScene {
    let chain: LongChain
    let place = MemoryPlace()
    /// Sequence numbers of the states that snapshots name.
    var named: Set<UInt64> = []
    /// Commits in the window, ten milliseconds apart.
    var window = 20

    init(seed: UInt64, rows: Int = 60) throws {
        chain = try LongChain(seed: seed, rows: rows, at: place)
        chain.remembersStates = true
    }

    func needs() throws -> StreamNeeds {
        try chain.repository.refresh()
        return try StreamNeeds(
            in: chain.repository, references: named.sorted().compactMap { chain.references[$0] },
            window: HistoryWindow(Int64(window) * 10_000_000), now: nil)
    }

    /// Merges, without anything being removed.
    @discardableResult
    func merge() throws -> CompactionReport {
        let lease = try HeldLease(
            on: place, purpose: "prune", world: chain.repository.world)
        var compactor = StreamCompactor(chain.repository) {}
        let report = try compactor.run(needs(), under: lease)
        try lease.end()
        return report
    }

    /// Merges, and removes what nothing needs, as prune does.
    @discardableResult
    func prune() throws -> CompactionReport {
        let report = try merge()
        try place.remove(needs().unneeded.sorted())
        return report
    }

    func stream() throws -> Timeline.Stream {
        try #require(try StreamIndex(of: chain.repository).streams[chain.identity.stream])
    }

    /// Sequence numbers of the commits in the window, with the state in which it begins.
    var inWindow: ClosedRange<UInt64> {
        let end = chain.end.position.sequence
        return end - UInt64(window)...end
    }

    var segmentBytes: UInt64 {
        get throws { try place.list(.segments).reduce(0) { $0 + $1.size } }
    }

    /// Holds states that must be there against what they were (the named ones, and of the window in
    /// CI the first, the last and a few), and proves the chain.
    func expectKeptStates() throws {
        let stream = try stream()
        let recovery = try DatabaseRecovery(from: chain.repository)
        let window = inWindow
        let some = window.filter { TestShare.isWhole || $0 % 9 == 0 }
        for sequence in named.union(some + [window.lowerBound, window.upperBound]).sorted() {
            let reference = try #require(chain.references[sequence])
            let bytes = try chain.recovered(reference, by: recovery)
            #expect(Hasher256.digest(bytes) == chain.states[sequence], "state \(sequence)")
        }
        var previous = Digest.zero
        for sequence in UInt64(1)...chain.end.position.sequence {
            let record = try #require(
                try stream.records(at: Position(epoch: 1, sequence: sequence)).first
            ).record
            #expect(record.previous == previous && record.chain == chain(sequence, record))
            previous = record.chain
        }
    }

    private func chain(_ sequence: UInt64, _ record: Record) -> Digest {
        chain.references[sequence]?.chain ?? record.chain
    }

    /// Sequence numbers of the states that can be restored.
    func restorable() throws -> Set<UInt64> {
        let stream = try stream()
        return try Set(
            (1...chain.end.position.sequence).filter { sequence in
                try stream.records(at: Position(epoch: 1, sequence: sequence)).contains {
                    try stream.isRestorable($0)
                }
            })
    }
}
