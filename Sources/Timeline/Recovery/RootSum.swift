import Codec
import Synchronization

/// Adds up a state root on several threads.
final class RootSum: Sendable {
    private let sum = Mutex(StateRoot())

    func add(_ part: StateRoot) {
        sum.withLock { $0.add(part) }
    }

    var digest: Digest { sum.withLock { $0.digest } }
}
