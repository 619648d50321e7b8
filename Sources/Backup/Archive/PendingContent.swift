import Platform
import Repository

/// The pieces of a file that workers are still storing.
// Unchecked: all fields are touched only inside the board's monitor.
final class PendingContent: @unchecked Sendable {
    fileprivate var pieces: [BlobReference?] = []
    fileprivate var missing = 0
    fileprivate var isComplete = false

    fileprivate var isReady: Bool { isComplete && missing == 0 }
}

/// Where workers put the pieces they have stored, and where the tree builder waits for them.
// Unchecked: `awaited` is touched only inside the monitor.
final class ContentBoard: @unchecked Sendable {
    private let monitor = Monitor()
    private let failure: FirstFailure
    /// What the tree builder waits for: to wake it for anything else costs two switches of threads
    /// a file, for nothing.
    private var awaited: PendingContent?

    init(failure: FirstFailure) {
        self.failure = failure
    }

    /// Throws the pipeline's failure, where it has failed.
    func check() throws {
        try failure.check()
    }

    /// Makes room for the next piece and returns its number.
    func reserve(in content: PendingContent) -> Int {
        monitor.locked {
            content.pieces.append(nil)
            content.missing += 1
            return content.pieces.count - 1
        }
    }

    /// Pieces so far.
    func count(of content: PendingContent) -> Int {
        monitor.locked { content.pieces.count }
    }

    /// Says that no more pieces follow.
    func complete(_ content: PendingContent) {
        monitor.locked {
            content.isComplete = true
            wakeBuilder()
        }
    }

    func fill(_ pieces: [(content: PendingContent, number: Int, piece: BlobReference)]) {
        monitor.locked {
            for (content, number, piece) in pieces {
                content.pieces[number] = piece
                content.missing -= 1
            }
            wakeBuilder()
        }
    }

    private func wakeBuilder() {
        if let awaited, awaited.isReady { monitor.wakeAll() }
    }

    /// Waits for all pieces of a file; throws the pipeline's failure.
    func pieces(of content: PendingContent) throws -> [BlobReference] {
        try monitor.locked {
            awaited = content
            defer { awaited = nil }
            while !content.isReady {
                try failure.check()
                // Not for ever: a failure elsewhere in the pipeline tells nobody here.
                monitor.waitAWhile()
            }
            return content.pieces.compactMap { $0 }
        }
    }
}
