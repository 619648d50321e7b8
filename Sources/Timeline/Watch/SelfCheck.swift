import Codec
import Platform
import Repository

/// Restores a random recent state while a database is being watched: what cannot be brought back is
/// to be known now, and not on the day it is needed.
enum SelfCheck {
    /// Segments, the newest ones, of which a state is chosen.
    private static let recentSegments = 8

    /// Brings one state of a stream back, proved page by page and as a whole, and lets it go.
    ///
    /// - Returns: its position; nil where nothing is recorded yet.
    /// - Throws: `SelfCheckFailed` where it is not what was recorded; what a repository throws that
    ///   is away.
    static func run(on stream: [UInt8], in repository: Repository) throws -> Position? {
        do {
            return try restore(stream, in: repository)
        } catch let error as RepositoryError where error.code == .absent {
            // A prune has put other segments in the place of those that were listed.
            return try restore(stream, in: repository)
        }
    }

    private static func restore(
        _ id: [UInt8], in repository: Repository
    ) throws -> Position? {
        guard let stream = try StreamIndex(of: repository).streams[id] else { return nil }
        if let end = stream.end, try !stream.isRestorable(end) {
            throw SelfCheckFailed(
                position: end.position, reason: "\(stream.lost(end))")
        }
        guard let handle = try state(of: stream) else { return nil }
        do {
            try DatabaseRecovery(from: repository).recoverInOrder(
                handle.reference(in: id), with: Tools(repository, level: .fast)
            ) { _ in }
        } catch let error as RepositoryError where error.code == .damaged {
            throw SelfCheckFailed(position: handle.position, reason: "\(error)")
        }
        return handle.position
    }

    private static func state(of stream: Stream) throws -> RecordHandle? {
        let recent = try stream.summaries().sorted { $0.last < $1.last }.suffix(recentSegments)
        let randomness = stream.store.repository.world.randomness
        guard let summary = pick(Array(recent), with: randomness) else {
            return nil
        }
        let states = try stream.records(of: summary).filter {
            try ($0.record.kind == .commit || $0.record.kind == .base) && stream.isRestorable($0)
        }
        return pick(states, with: randomness)
    }

    private static func pick<Element>(
        _ elements: [Element], with randomness: any Randomness
    ) -> Element? {
        guard !elements.isEmpty else { return nil }
        let number = randomness.bytes(4).reduce(0) { $0 << 8 | Int($1) }
        return elements[number % elements.count]
    }
}

/// A state that does not come back as it was recorded.
struct SelfCheckFailed: Error {
    let position: Position
    let reason: String
}
