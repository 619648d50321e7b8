extension FileKind {
    /// What a person calls it, as in `a directory is in the way`.
    package var noun: String {
        switch self {
        case .regular: "file"
        case .directory: "directory"
        case .symbolicLink: "symbolic link"
        case .fifo: "named pipe"
        case .socket: "socket"
        case .characterDevice, .blockDevice: "device"
        }
    }
}
