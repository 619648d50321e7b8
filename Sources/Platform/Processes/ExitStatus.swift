/// How a process ended. Source: wait(2).
package enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    /// By itself, with 0 to 255.
    case exited(Int32)
    /// By a signal.
    case signalled(Int32)

    init(waitStatus: CInt) {
        let signal = waitStatus & 0x7F
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xFF) : .signalled(signal)
    }

    package var isSuccess: Bool { self == .exited(0) }

    package var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}
