import Glibc
import Platform

/// What lies beside a database: what libsqlite3 would find there, and what it would make.
struct Neighbourhood {
    /// The database's absolute path without symbolic links.
    let path: FilePath

    private func file(_ suffix: String) -> FileStatus? {
        try? FileStatus.of(
            FilePath(bytes: path.bytes + Array(suffix.utf8)), followingLinks: false)
    }

    /// Whether there is a WAL, be it empty.
    var hasLog: Bool { file("-wal") != nil }

    /// Whether there is no WAL, or one without a single frame.
    var holdsNoFrames: Bool {
        (file("-wal")?.size ?? 0) <= UInt64(WALFrames.headerSize)
    }

    /// Refuses what would leave files beside the database that its owner could not write.
    ///
    /// Whoever opens a database in WAL mode makes its `-wal` and `-shm` where they are missing.
    /// libsqlite3 gives them the database's owner and permissions when it runs as root
    /// (os_unix.c, `robustFchown`); from another user they would lock the owner out for as long as
    /// they exist.
    func requireUsableFiles(isLogged: Bool) throws(CaptureError) {
        let hasLog = file("-wal") != nil
        let wouldMake = isLogged ? !hasLog || file("-shm") == nil : hasLog && file("-shm") == nil
        guard wouldMake, geteuid() != 0 else { return }
        let owner: UInt32
        do {
            owner = try FileStatus.of(path, followingLinks: true).userID
        } catch {
            throw CaptureError(error, path)
        }
        guard owner != geteuid() else { return }
        throw CaptureError(
            .unreadable, path,
            "it is in WAL mode, and opening it would make files that its owner could not write",
            hint: "Run as root or as its owner (user \(owner)), or while its service runs.")
    }

    /// Whether the filesystem itself, not only this mount of it, is read-only.
    ///
    /// Source: proc_pid_mountinfo(5); the last field holds the options of the superblock.
    static func isReadOnly(device: UInt64) -> Bool {
        guard let file = fopen("/proc/self/mountinfo", "re") else { return false }
        defer { fclose(file) }
        // As makedev(3) of glibc puts them together.
        let major = device >> 8 & 0xfff | device >> 32 & ~0xfff
        let minor = device & 0xff | device >> 12 & ~0xff
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0 {
            guard let line else { return false }
            let fields = String(cString: line).split(whereSeparator: { $0 == " " || $0 == "\n" })
            guard fields.count > 2, fields[2] == "\(major):\(minor)", let options = fields.last
            else { continue }
            return options.split(separator: ",").contains("ro")
        }
        return false
    }
}
