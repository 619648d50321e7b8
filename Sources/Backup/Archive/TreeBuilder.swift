import Platform
import Repository
import Synchronization

/// What the walker tells the tree builder, in the order of the walk.
enum WalkEvent: Sendable {
    /// A directory begins.
    case enter
    /// An entry of the directory; its pieces, and where they lie in a sparse file, may follow.
    case entry(Node, PendingContent?, extents: [Extent]?)
    /// The directory ends; `node` is its own entry in the one above, nil for the root.
    case leave(Node?, complete: Bool)
}

/// Turns the walk into trees, on a thread of its own, waiting for the pieces of each file.
final class TreeBuilder: Sendable {
    private struct Level {
        var runs: [BlobReference] = []
        var writer = TreeRunWriter()
    }

    private struct State {
        var levels: [Level] = []
        var root: [BlobReference]?
        var tools: Tools?
    }

    private let store: BlobStore
    private let board: ContentBoard
    private let makeTools: @Sendable () -> Tools
    private let queue = BoundedQueue<[WalkEvent]>(
        capacity: TreeBuilder.capacity / TreeBuilder.batch)
    private let outbox = Mutex<[WalkEvent]>([])
    private let state = Mutex(State())
    private let thread = Mutex<WorkerThread?>(nil)
    private let inline: Bool

    /// Events that may wait for the builder.
    static let capacity = 4096
    /// Events that are handed over together: waking a thread costs more than an event.
    private static let batch = 64

    init(
        _ repository: Repository, store: BlobStore, board: ContentBoard,
        tools: @escaping @Sendable () -> Tools
    ) {
        self.store = store
        self.board = board
        makeTools = tools
        inline = repository.world.workers == 0
        guard !inline else { return }
        let worker = WorkerThread(name: "trees") { [self] in
            while let events = queue.take() {
                do {
                    try store.pool.failure.check()
                    for event in events { try handle(event) }
                } catch {
                    store.pool.failure.record(error)
                }
            }
        }
        thread.withLock { $0 = worker }
    }

    /// Hands on an event; throws the pipeline's failure.
    func send(_ event: WalkEvent) throws {
        try store.pool.failure.check()
        guard !inline else { return try handle(event) }
        let full = outbox.withLock { outbox -> [WalkEvent]? in
            outbox.append(event)
            guard outbox.count == TreeBuilder.batch else { return nil }
            defer { outbox = [] }
            return outbox
        }
        if let full { _ = queue.put(full) }
    }

    /// Waits for the last tree and returns the runs of the root.
    func finish() throws -> [BlobReference] {
        _ = queue.put(outbox.withLock { $0 })
        stop()
        try store.pool.failure.check()
        guard let root = state.withLock({ $0.root }) else {
            preconditionFailure("the walk ended before its root")
        }
        return root
    }

    func stop() {
        queue.close()
        let worker = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        worker?.join()
    }

    private func handle(_ event: WalkEvent) throws {
        switch event {
        case .enter:
            state.withLock { $0.levels.append(Level()) }
        case .entry(var node, let content, let extents):
            if let content {
                let pieces = try board.pieces(of: content) { try put($0, .pieceList) }
                node.content = .file(pieces: pieces, extents: extents)
            }
            try add(node)
        case .leave(let node, let complete):
            let runs = try close()
            if var node {
                node.content = .directory(runs: runs, complete: complete)
                try add(node)
            } else {
                state.withLock { $0.root = runs }
            }
        }
    }

    private func add(_ node: Node) throws {
        let run = state.withLock { state in
            state.levels[state.levels.count - 1].writer.append(node)
        }
        if let run { try store(run) }
    }

    private func close() throws -> [BlobReference] {
        let last = state.withLock { state in
            state.levels[state.levels.count - 1].writer.finish()
        }
        if let last { try store(last) }
        return state.withLock { $0.levels.removeLast().runs }
    }

    private func store(_ run: [UInt8]) throws {
        let reference = BlobReference(id: try put(run, .tree), size: run.count)
        state.withLock { $0.levels[$0.levels.count - 1].runs.append(reference) }
    }

    private func put(_ bytes: [UInt8], _ kind: BlobKind) throws -> BlobID {
        try state.withLock { state in
            let tools = state.tools ?? makeTools()
            state.tools = tools
            return try bytes.withUnsafeBytes { try store.put($0, kind: kind, with: tools) }
        }
    }
}
