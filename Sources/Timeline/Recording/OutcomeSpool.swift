import Platform
import Synchronization

/// Keeps the outcome of each page group in a nameless file until all are known.
///
/// Groups are finished out of order, and in rollback-journal mode some are read twice; the last
/// outcome of a group counts. Memory: a few dozen bytes a group.
final class OutcomeSpool: Sendable {
    private struct Place {
        var offset: UInt64 = 0
        var length = 0
        var sum = StateRoot()
    }

    private struct State: ~Copyable {
        let file: Descriptor
        var end: UInt64 = 0
        var places: [Place?]
    }

    private let state: Mutex<State>

    /// - Parameter directory: where the file lies, without a name.
    init(in directory: FilePath, groups: Int) throws {
        let file = try Descriptor.openNameless(in: directory)
        state = Mutex(State(file: file, places: Array(repeating: nil, count: groups)))
    }

    /// Makes room for so many groups; outcomes of groups past them are dropped.
    func resize(groups: Int) {
        state.withLock { state in
            let kept = state.places.prefix(groups)
            state.places = kept + Array(repeating: nil, count: groups - kept.count)
        }
    }

    func put(_ outcome: GroupOutcome, of group: Int) throws {
        let bytes = outcome.encoded
        try state.withLock { state in
            try bytes.withUnsafeBytes { try state.file.write($0, at: state.end) }
            state.places[group] = Place(offset: state.end, length: bytes.count, sum: outcome.sum)
            state.end += UInt64(bytes.count)
        }
    }

    /// What a group added to the state root when it was read last.
    func sum(of group: Int) -> StateRoot? {
        state.withLock { state in
            group < state.places.count ? state.places[group]?.sum : nil
        }
    }

    /// The state root of all groups together.
    var root: StateRoot {
        state.withLock { state in
            var root = StateRoot()
            for place in state.places { if let place { root.add(place.sum) } }
            return root
        }
    }

    /// The outcomes of all groups, in order.
    func forEach(_ body: (GroupOutcome) throws -> Void) throws {
        let count = state.withLock { $0.places.count }
        for group in 0..<count {
            try body(try outcome(of: group))
        }
    }

    private func outcome(of group: Int) throws -> GroupOutcome {
        let bytes = try state.withLock { state in
            guard let place = state.places[group] else {
                preconditionFailure("page group \(group) was never read")
            }
            var got = 0
            let bytes = try [UInt8](unsafeUninitializedCapacity: place.length) { buffer, count in
                got = try state.file.read(
                    into: UnsafeMutableRawBufferPointer(buffer), at: place.offset)
                count = got
            }
            precondition(got == place.length, "the spool is shorter than what was written to it")
            return bytes
        }
        return try GroupOutcome(decoding: bytes)
    }
}
