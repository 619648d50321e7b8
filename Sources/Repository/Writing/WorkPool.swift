package import Codec
import Platform
import Synchronization

/// What a worker thread keeps between jobs, so that no job allocates it again.
package final class Tools {
    package let blobHasher: KeyedHasher
    package let hasher = Hasher256()
    package let compressor: Compressor
    package let decompressor = Decompressor()
    package let opener: BlobOpener

    package init(_ repository: Repository, level: CompressionLevel) {
        blobHasher = repository.keys.blobHasher()
        compressor = Compressor(level: level)
        opener = BlobOpener(repository)
    }
}

/// Threads that do independent jobs, as many as there are cores, bounded by the bytes they hold.
package final class WorkPool: Sendable {
    package typealias Job = @Sendable (Tools) throws -> Void

    private struct Item: Sendable {
        let bytes: Int
        let job: Job
    }

    /// Holds a value that one thread at a time uses: the pool's, when it has no threads.
    private struct Inline: ~Copyable {
        let tools: Tools
    }

    private let queue = BoundedQueue<Item>(capacity: 1024)
    private let budget: ByteBudget
    private let threads = Mutex<[WorkerThread]>([])
    private let inline: Mutex<Tools>?
    package let failure: FirstFailure

    /// Bytes of jobs that may be waiting or in work, unless another number is given.
    package static let budgetBytes = 24 << 20

    /// - Parameter budgetBytes: bytes of jobs that may be waiting or in work.
    package init(
        _ repository: Repository, level: CompressionLevel, failure: FirstFailure,
        budgetBytes: Int = WorkPool.budgetBytes
    ) {
        self.failure = failure
        budget = ByteBudget(bytes: budgetBytes)
        guard repository.world.workers > 0 else {
            inline = Mutex(Tools(repository, level: level))
            return
        }
        inline = nil
        let workers = (0..<repository.world.workers).map { number in
            WorkerThread(name: "worker-\(number)") { [queue, budget] in
                let tools = Tools(repository, level: level)
                while let item = queue.take() {
                    do {
                        try failure.check()
                        try item.job(tools)
                    } catch {
                        failure.record(error)
                    }
                    budget.give(item.bytes)
                }
            }
        }
        threads.withLock { $0 = workers }
    }

    /// Hands a job to the next free thread; waits while the pool holds its limit of bytes.
    package func submit(bytes: Int, _ job: @escaping Job) throws {
        try failure.check()
        guard inline == nil else {
            do {
                try inline?.withLock { try job($0) }
            } catch {
                failure.record(error)
                throw error
            }
            return
        }
        budget.take(bytes)
        _ = queue.put(Item(bytes: bytes, job: job))
    }

    /// Waits until all submitted jobs are done; throws the first failure.
    package func drain() throws {
        if inline == nil { budget.drain() }
        try failure.check()
    }

    /// Ends the threads.
    package func finish() {
        queue.close()
        let workers = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for worker in workers { worker.join() }
    }
}
