import CLinux
import Glibc

/// Tells the service manager that supervises this service how it is. Source: sd_notify(3).
package enum ServiceSupervision {
    /// Sends a state such as `READY=1`; nothing where no service manager listens.
    package static func notify(_ state: String) throws(SystemError) {
        guard let socket = getenv("NOTIFY_SOCKET") else { return }
        _ = try systemCall("notify", FilePath(String(cString: socket))) {
            hold_local_send(socket, strlen(socket), state, strlen(state))
        }
    }

    /// Nanoseconds within which the service manager wants to hear `WATCHDOG=1`; nil for never.
    package static var watchdogInterval: UInt64? {
        guard let text = getenv("WATCHDOG_USEC"), let micro = UInt64(String(cString: text)) else {
            return nil
        }
        return micro.multipliedReportingOverflow(by: 1000).partialValue
    }
}
