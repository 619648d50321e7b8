// The one way by which calls into the C library report failure.

/// Makes a call again for as long as signals interrupt it; throws what it left in `errno`.
@inline(__always)
func systemCall<Value: SignedInteger & FixedWidthInteger>(
    _ operation: String, _ path: @autoclosure () -> FilePath?, _ call: () -> Value
) throws(SystemError) -> Value {
    while true {
        let value = call()
        if value != -1 { return value }
        // Read before anything else can make a call that overwrites it.
        let failure = Errno.current
        if failure != .interrupted { throw SystemError(operation, path(), failure) }
    }
}

extension [UInt8] {
    /// Calls with the bytes as a C string. The bytes must hold no NUL.
    @inline(__always)
    func withNullTerminated<R, E: Error>(
        _ body: (UnsafePointer<CChar>) throws(E) -> R
    ) throws(E) -> R {
        // A C string must outlive the call and end in NUL, which an array's buffer does not.
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) {
            (buffer: UnsafeMutableBufferPointer<CChar>) throws(E) -> R in
            withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            buffer[count] = 0
            guard let start = buffer.baseAddress else { fatalError("no room for a C string") }
            return try body(start)
        }
    }

    /// Whether the bytes can be handed to a call that takes one name in an open directory.
    ///
    /// `.` is the directory itself. What would leave the directory, or be cut short at a NUL, never
    /// reaches the system, whoever made up the name.
    @inline(__always)
    var staysInDirectory: Bool {
        !contains(UInt8(ascii: "/")) && !contains(0) && self != [0x2E, 0x2E]
    }
}

/// Makes a call on one name in an open directory, by the rules of `systemCall`.
@inline(__always)
func systemCall<Value: SignedInteger & FixedWidthInteger>(
    _ operation: String, _ name: [UInt8], in directory: borrowing Descriptor,
    _ call: (CInt, UnsafePointer<CChar>) -> Value
) throws(SystemError) -> Value {
    guard name.staysInDirectory else {
        throw SystemError(operation, directory.path(of: name), .invalidArgument)
    }
    let raw = directory.raw
    do {
        return try name.withNullTerminated { (name) throws(SystemError) -> Value in
            try systemCall(operation, nil) { call(raw, name) }
        }
    } catch {
        throw SystemError(operation, directory.path(of: name), error.errno)
    }
}
