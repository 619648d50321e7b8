import Glibc
import Platform
import Repository

extension SourceWalk {
    /// Backs up a pipe as the one file of the snapshot.
    func archive(_ stream: ArchiveStream) throws {
        let pending = board.newContent()
        try send(.enter)
        let size = try content.write(pending, expected: .max) { buffer in
            if isInterrupted() { throw Interrupted() }
            return try stream.descriptor.readAvailable(into: buffer)
        }
        board.complete(pending)
        try stream.finish()
        var status = try stream.descriptor.status()
        status.kind = .regular
        status.permissions = 0o600
        status.modified = world.clock.now()
        status.changed = status.modified
        status.links = 1
        status.size = size
        status.userID = geteuid()
        status.groupID = getegid()
        var node = Node(name: stream.name, status: status, settled: false, content: .nothing)
        nameOwners(&node)
        totals.files += 1
        totals.bytes.add(saturating: size)
        count(.new, FilePath("/").appending(stream.name), status)
        try send(.entry(node, pending, extents: nil))
        try content.flush()
        try send(.leave(nil, complete: true))
    }
}
