import CLinux
import Glibc
import Synchronization

/// Whether someone asked this process to stop.
package enum Interruption {
    // A signal handler can reach nothing but a global, and an atomic is all it may touch.
    private static let received = Atomic<CInt>(0)

    package static var isRequested: Bool { signal != nil }

    /// The signal that asked first.
    package static var signal: CInt? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Forgets the request, once it was followed.
    package static func clear() {
        received.store(0, ordering: .relaxed)
    }

    fileprivate static func record(_ number: CInt) {
        _ = received.compareExchange(expected: 0, desired: number, ordering: .relaxed)
    }
}

/// Turns SIGINT, SIGTERM and SIGHUP into ``Interruption`` for as long as it lives.
///
/// The second signal of a kind finds the default action again and ends the process. A signal that
/// was ignored stays ignored, as `nohup` and background shells want it.
package final class Signals {
    private var previous: [(number: CInt, action: sigaction)] = []

    /// Source: sigaction(2), SA_RESETHAND.
    package init(_ numbers: [CInt] = [SIGINT, SIGTERM, SIGHUP]) throws(SystemError) {
        // Makes the flag before a handler can need it: making it is not safe in a handler.
        _ = Interruption.isRequested
        for number in numbers {
            var action = sigaction()
            let installed = try systemCall("sigaction", nil) {
                hold_catch_once(number, { Interruption.record($0) }, &action)
            }
            if installed == 1 { previous.append((number, action)) }
        }
    }

    deinit {
        for (number, action) in previous {
            var action = action
            sigaction(number, &action, nil)
        }
    }
}
