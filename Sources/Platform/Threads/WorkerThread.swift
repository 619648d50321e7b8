import CLinux
import Glibc
import Synchronization

/// A thread of its own for work that blocks. It starts when it is made.
///
/// One that is let go without having been joined goes on to its end by itself.
package final class WorkerThread: Sendable {
    private let running: Mutex<pthread_t?>

    /// `name` shows in `ps -L` and debuggers, at most 15 bytes of it. Source: pthread_create(3).
    ///
    /// Waits up to a second where the system has no thread to give, then ends the process: without
    /// its threads it could only hang.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var result = EAGAIN
        for attempt in 0..<100 where result == EAGAIN {
            if attempt > 0 { SystemClock().sleep(nanoseconds: 10_000_000) }
            result = pthread_create(&thread, nil, run, start.toOpaque())
        }
        guard result == 0 else { fatalError("no thread for \(name): \(Errno(result))") }
        running = Mutex(thread)
    }

    deinit {
        if let thread = running.withLock({ $0 }) { pthread_detach(thread) }
    }

    /// Waits for the end of the body; every caller does. Not to be called by the thread itself.
    package func join() {
        running.withLock { running in
            if let thread = running { pthread_join(thread, nil) }
            running = nil
        }
    }
}

/// What a new thread is told.
private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    // Takes over what `passRetained` gave to this thread alone.
    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
    _ = hold_name_this_thread(String(decoding: start.name.utf8.prefix(15), as: UTF8.self))
    start.body()
    return nil
}
