import Platform
import Repository

/// The pieces of a file that workers are still storing.
// Unchecked: all fields are touched only inside the board's monitor, but `lists`, which belongs to
// the thread that has set `isGathering` there.
final class PendingContent: @unchecked Sendable {
    /// Pieces that are not in `lists` yet, from the number `gathered` on.
    fileprivate var pieces: [BlobReference?] = []
    fileprivate var gathered = 0
    fileprivate var missing = 0
    fileprivate var isComplete = false
    fileprivate var isGathering = false
    fileprivate var lists: PieceListWriter
    fileprivate var result: PieceList?

    fileprivate var isReady: Bool { isComplete && missing == 0 && !isGathering }

    fileprivate init(_ shape: PieceListShape) {
        lists = PieceListWriter(shape)
    }
}

/// Where workers put the pieces they have stored, and where the tree builder waits for them.
// Unchecked: `awaited` is touched only inside the monitor.
final class ContentBoard: @unchecked Sendable {
    private let monitor = Monitor()
    private let failure: FirstFailure
    private let shape: PieceListShape
    /// What the tree builder waits for: to wake it for anything else costs two switches of threads
    /// a file, for nothing.
    private var awaited: PendingContent?

    /// Pieces that are worth a turn at the lists.
    private static let turn = 1024

    init(failure: FirstFailure, lists shape: PieceListShape) {
        self.failure = failure
        self.shape = shape
    }

    /// Throws the pipeline's failure, where it has failed.
    func check() throws {
        try failure.check()
    }

    func newContent() -> PendingContent { PendingContent(shape) }

    /// Makes room for the next piece and returns its number.
    func reserve(in content: PendingContent) -> Int {
        monitor.locked {
            content.pieces.append(nil)
            content.missing += 1
            return content.gathered + content.pieces.count - 1
        }
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
                content.pieces[number - content.gathered] = piece
                content.missing -= 1
            }
            wakeBuilder()
        }
    }

    /// Moves what is there without a gap into lists, where that is much: a file may have more
    /// pieces than memory should hold. Called by the workers that fill.
    func gather(_ content: PendingContent, _ put: PieceListWriter.Put) throws {
        while let pieces = monitor.locked({ take(from: content, atLeast: ContentBoard.turn) }) {
            for piece in pieces { try content.lists.append(piece, put) }
            monitor.locked {
                content.isGathering = false
                wakeBuilder()
            }
        }
    }

    /// Takes the next pieces; who does is the only one at the lists until `isGathering` is false.
    private func take(from content: PendingContent, atLeast least: Int) -> [BlobReference]? {
        guard !content.isGathering, content.pieces.count >= least else { return nil }
        let next = content.pieces.prefix { $0 != nil }.compactMap { $0 }
        guard next.count >= least else { return nil }
        content.pieces.removeFirst(next.count)
        content.gathered += next.count
        content.isGathering = true
        return next
    }

    private func wakeBuilder() {
        if let awaited, awaited.isReady { monitor.wakeAll() }
    }

    /// Waits for all pieces of a file; throws the pipeline's failure.
    func pieces(of content: PendingContent, _ put: PieceListWriter.Put) throws -> PieceList {
        let last = try monitor.locked {
            awaited = content
            defer { awaited = nil }
            while !content.isReady {
                try failure.check()
                // Not for ever: a failure elsewhere in the pipeline tells nobody here.
                monitor.waitAWhile()
            }
            return content.result == nil ? take(from: content, atLeast: 0) ?? [] : []
        }
        // Of a file with several names, the first has made the list.
        if let known = monitor.locked({ content.result }) { return known }
        for piece in last { try content.lists.append(piece, put) }
        let list = try content.lists.finish(put)
        monitor.locked {
            content.result = list
            content.isGathering = false
        }
        return list
    }
}
