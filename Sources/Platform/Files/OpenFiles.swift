import Glibc

/// Who else has a file open, as far as locks tell; and how many this process may have open.
package enum OpenFiles {
    /// Descriptors that this process may have. Source: getrlimit(2), RLIMIT_NOFILE.
    package static var limit: Int {
        var limit = rlimit()
        let code = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // It cannot fail but for a wrong argument; 256 is less than any system gives.
        return code == 0 ? Int(clamping: limit.rlim_cur) : 256
    }

    /// Whether another process holds a lock on a file: each connection of SQLite to a database in
    /// WAL mode does, for as long as it is open.
    ///
    /// Asking by fcntl(2) would need a descriptor, and closing it would drop this process's own
    /// locks. Source: proc_locks(5); processes of other PID namespaces show as 0 there.
    package static func isOpenElsewhere(_ path: FilePath) throws(SystemError) -> Bool {
        let status = try FileStatus.of(path, followingLinks: true)
        let text = String(
            decoding: try Descriptor.contents(of: FilePath("/proc/locks"), limit: 64 << 20),
            as: UTF8.self)
        let own = "\(getpid())"
        return text.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 8 else { return false }
            // 1: POSIX ADVISORY READ 4711 fe:00:262159 1073741826 1073742335
            let offset = fields[1] == "->" ? 1 : 0
            guard fields.count > 5 + offset else { return false }
            return fields[4 + offset] != own
                && fields[5 + offset].split(separator: ":").last == "\(status.inode)"
        }
    }
}
