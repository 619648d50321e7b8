import CLinux
import Glibc

/// What a process of ours asks of the system before it begins.
package enum ProcessSetup {
    /// As many descriptors as we may have, a broken pipe as an error instead of a signal, and an
    /// allocator that keeps blocks of a few megabytes instead of asking the kernel for each.
    package static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            limit.rlim_cur = min(limit.rlim_max, 65536)
            // What is refused leaves the old limit: everything is bounded by what that is.
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        hold_tune_allocator(32 << 20)
    }
}
