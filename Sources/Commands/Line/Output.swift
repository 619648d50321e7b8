import Glibc
import Synchronization

/// A place that lines are written to: standard output, standard error, or a test's memory.
///
/// Lines of several threads do not mix. The first failure is kept, so that a listing cut short by
/// a full disk cannot end in success.
package final class Output: Sendable {
    /// Writes the bytes; the answer is 0 or an `errno`.
    package typealias Writer = @Sendable ([UInt8]) -> CInt

    private struct State {
        var pending: [UInt8] = []
        var failure: CInt?
    }

    private static let mostPending = 1 << 16

    private let state = Mutex(State())
    private let isBuffered: Bool
    private let writer: Writer

    /// Makes a place of its writer; a buffered one is written at 64 KiB and at `flush()`.
    package init(isBuffered: Bool = false, writer: @escaping Writer) {
        self.isBuffered = isBuffered
        self.writer = writer
    }

    /// Makes a place of a descriptor that stays open; write(2).
    package convenience init(descriptor: CInt, isBuffered: Bool) {
        self.init(isBuffered: isBuffered) { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes {
                    Glibc.write(descriptor, $0.baseAddress, $0.count)
                }
                if written < 0, errno != EINTR { return errno }
                rest = rest.dropFirst(max(0, written))
            }
            return 0
        }
    }

    /// The `errno` of the first write that failed.
    package var failure: CInt? { state.withLock { $0.failure } }

    /// Writes the text and a newline.
    package func line(_ text: String) {
        write(Array((text + "\n").utf8))
    }

    /// Writes the bytes as they are.
    package func write(_ bytes: [UInt8]) {
        state.withLock { state in
            state.pending += bytes
            if !isBuffered || state.pending.count >= Self.mostPending { drain(&state) }
        }
    }

    /// Writes what is pending.
    package func flush() {
        state.withLock { drain(&$0) }
    }

    private func drain(_ state: inout State) {
        guard !state.pending.isEmpty else { return }
        // What follows a failure would leave a hole that no reader sees.
        if state.failure == nil {
            let code = writer(state.pending)
            if code != 0 { state.failure = code }
        }
        state.pending.removeAll(keepingCapacity: true)
    }
}
