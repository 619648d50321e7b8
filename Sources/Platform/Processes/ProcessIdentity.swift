import Glibc

/// A process, so named that no later one, on this boot or another, is taken for it.
package struct ProcessIdentity: Hashable, Sendable {
    /// 16 bytes that the kernel draws at each boot.
    package let bootID: [UInt8]
    package let pid: Int32
    /// Clock ticks from boot to the start of the process.
    package let startTime: UInt64

    package init(bootID: [UInt8], pid: Int32, startTime: UInt64) {
        self.bootID = bootID
        self.pid = pid
        self.startTime = startTime
    }

    /// This process.
    package static func current() throws(SystemError) -> ProcessIdentity {
        try of(pid: getpid())
    }

    /// A process of this host that exists now; throws ENOENT or ESRCH where it does not.
    package static func of(pid: Int32) throws(SystemError) -> ProcessIdentity {
        let line = try ProcessLine(pid: pid)
        return ProcessIdentity(bootID: try currentBoot(), pid: pid, startTime: line.startTime)
    }

    /// Whether the process exists on this host and this boot; one that nobody can see into counts
    /// as alive, one that ended and waits for its parent does not.
    ///
    /// Process ids mean something in one PID namespace only: see ``namespace()``.
    package func isAlive() -> Bool {
        guard let boot = try? ProcessIdentity.currentBoot(), boot == bootID, pid > 0 else {
            return false
        }
        if let line = try? ProcessLine(pid: pid) {
            return line.startTime == startTime && !line.hasEnded
        }
        // /proc may be hidden from us (hidepid); then only ESRCH proves absence.
        return kill(pid, 0) == 0 || Errno.current != .noSuchProcess
    }

    /// Source: random(4), /proc/sys/kernel/random/boot_id.
    private static func currentBoot() throws(SystemError) -> [UInt8] {
        let path: FilePath = "/proc/sys/kernel/random/boot_id"
        let text = try Descriptor.contents(of: path, limit: 256)
        let digits = text.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 32 else { throw SystemError("read", path, .invalidArgument) }
        return stride(from: 0, to: 32, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// Names the PID namespace this process lives in, as in `pid:[4026531836]`.
    package static func namespace() throws(SystemError) -> String {
        let directory = try Descriptor.open("/proc/self/ns", flags: O_RDONLY | O_DIRECTORY)
        let target = try FileTree.readLink(Array("pid".utf8), in: directory)
        return String(decoding: target, as: UTF8.self)
    }

    /// This host's own name for itself. Source: gethostname(2).
    package static func hostName() -> String {
        // The kernel keeps at most 64 bytes; the rest stays NUL.
        var buffer = [CChar](repeating: 0, count: 257)
        guard gethostname(&buffer, 256) == 0 else { return "localhost" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// What /proc/PID/stat says of a process. Source: proc_pid_stat(5).
private struct ProcessLine {
    let startTime: UInt64
    let hasEnded: Bool

    init(pid: Int32) throws(SystemError) {
        let path = FilePath("/proc/\(pid)/stat")
        let text = try Descriptor.contents(of: path, limit: 4096)
        // Field 2, the program's name, may hold anything, blanks and parentheses too.
        guard let end = text.lastIndex(of: UInt8(ascii: ")")) else {
            throw SystemError("read", path, .invalidArgument)
        }
        let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "))
            .map { String(decoding: $0, as: UTF8.self) }
        // fields[0] is field 3.
        guard fields.count > 19, let threads = Int(fields[17]), let start = UInt64(fields[19])
        else {
            throw SystemError("read", path, .invalidArgument)
        }
        startTime = start
        // A first thread that ended while others go on shows as a zombie too.
        hasEnded = ["X", "x"].contains(fields[0]) || (fields[0] == "Z" && threads <= 1)
    }
}
