package import Platform
import Repository
import Synchronization

/// What other threads want of the capture thread: to look now, to answer what they ask of a
/// database.
package final class Wake: Sendable {
    private final class Question: Sendable {
        let path: FilePath
        let work: @Sendable (WatchedDatabase) throws -> Snapshot.Database?
        let answer = Mutex<Result<Snapshot.Database?, any Error>?>(nil)

        init(
            _ path: FilePath,
            _ work: @escaping @Sendable (WatchedDatabase) throws -> Snapshot.Database?
        ) {
            self.path = path
            self.work = work
        }
    }

    /// Why nothing can be answered here.
    package struct NotWatched: Error, CustomStringConvertible {
        package let description: String
    }

    private let pipe: Pipe
    private let monitor = Monitor()
    private let questions = Mutex<[Question]>([])
    private let isEnded = Atomic(false)

    package init() throws(SystemError) {
        pipe = try Pipe()
    }

    /// Makes the capture thread look around.
    package func ring() throws(SystemError) {
        var byte: UInt8 = 1
        try withUnsafeBytes(of: &byte) { (bytes) throws(SystemError) in
            try pipe.writing.write(bytes)
        }
    }

    /// The capture thread's answer to a question about a database.
    ///
    /// - Throws: `NotWatched` for another database; what `work` throws.
    func ask(
        _ path: FilePath,
        _ work: @escaping @Sendable (WatchedDatabase) throws -> Snapshot.Database?
    ) throws -> Snapshot.Database? {
        let question = Question(path, work)
        questions.withLock { $0.append(question) }
        try ring()
        return try monitor.locked {
            while true {
                if let answer = question.answer.withLock({ $0 }) { return try answer.get() }
                if isEnded.load(ordering: .acquiring) {
                    throw NotWatched(description: "it is just ending")
                }
                monitor.waitAWhile()
            }
        }
    }

    // MARK: The capture thread's side

    var descriptor: CInt { pipe.reading.raw }

    func serve(_ databases: [WatchedDatabase]) throws(SystemError) {
        let asked = questions.withLock { questions in
            defer { questions = [] }
            return questions
        }
        for question in asked {
            let database = databases.first { $0.path == question.path }
            let answer = Result { () throws -> Snapshot.Database? in
                guard let database else {
                    throw NotWatched(description: "it does not record that database")
                }
                return try question.work(database)
            }
            question.answer.withLock { $0 = answer }
        }
        guard !asked.isEmpty else { return }
        monitor.locked { monitor.wakeAll() }
    }

    /// Answers no more: whoever waits, or asks later, is told so.
    func end() {
        isEnded.store(true, ordering: .releasing)
        monitor.locked { monitor.wakeAll() }
    }

    /// Takes the bytes that rang.
    func quiet() throws(SystemError) {
        try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) {
            (buffer) throws(SystemError) in
            _ = try pipe.reading.readAvailable(into: buffer)
        }
    }
}
