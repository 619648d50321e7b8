import CLinux
import Glibc

/// What a new process does with its descriptors before it becomes the command.
struct FileActions: ~Copyable {
    fileprivate var actions = posix_spawn_file_actions_t()

    init() throws(SystemError) {
        try check(posix_spawn_file_actions_init(&actions))
    }

    deinit {
        // A copy, for a value that is going away is no longer mutable.
        var actions = actions
        posix_spawn_file_actions_destroy(&actions)
    }

    mutating func setInput(_ input: Subprocess.Input) throws(SystemError) {
        switch input {
        case .null: try open(0, "/dev/null", O_RDONLY)
        case .inherited: break
        case .descriptor(let raw): try duplicate(raw, as: 0)
        }
    }

    mutating func open(
        _ number: CInt, _ path: String, _ flags: CInt
    ) throws(SystemError) {
        try check(posix_spawn_file_actions_addopen(&actions, number, path, flags, 0))
    }

    /// Takes O_CLOEXEC off where both numbers are the same, since glibc 2.29.
    mutating func duplicate(_ raw: CInt, as number: CInt) throws(SystemError) {
        try check(posix_spawn_file_actions_adddup2(&actions, raw, number))
    }
}

/// These calls return the error instead of leaving it in `errno`.
private func check(_ result: CInt) throws(SystemError) {
    if result != 0 { throw SystemError("spawn", nil, Errno(result)) }
}

/// Starts a command with no signal blocked; answers its process id.
func spawn(
    _ name: FilePath, _ arguments: [[UInt8]], _ environment: [[UInt8]]?,
    _ actions: inout FileActions
) throws(SystemError) -> pid_t {
    var attributes = posix_spawnattr_t()
    try check(posix_spawnattr_init(&attributes))
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    try check(posix_spawnattr_setsigmask(&attributes, &none))
    try check(posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK)))
    let arguments = CStrings(arguments)
    let variables = environment.map { CStrings($0) }
    var process: pid_t = 0
    let result = name.withCString {
        posix_spawnp(
            &process, $0, &actions.actions, &attributes, arguments.pointers,
            variables?.pointers ?? hold_environment())
    }
    guard result == 0 else { throw SystemError("spawn", name, Errno(result)) }
    return process
}

/// Strings as C's argument vectors are: pointers, the last of them null.
private final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [[UInt8]]) {
        count = strings.count
        // The vector lives as long as this object, which outlives the call.
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            pointers[index] = string.withNullTerminated { strdup($0) }
        }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}
