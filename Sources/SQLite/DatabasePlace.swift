package import Platform

/// A name in an open directory: where a database is, whatever happens to the directory's path.
///
/// libsqlite3 opens by path alone, and names the journals by it; through the descriptor's entry in
/// /proc all of them lie in that directory and in no other. Source: proc(5), `/proc/pid/fd`.
package struct DatabasePlace: Sendable {
    /// Its path through the directory's descriptor.
    package let name: FilePath

    /// - Parameter directory: open for as long as a connection to the database is.
    package init(_ name: [UInt8], in directory: borrowing Descriptor) {
        self.name = FilePath("/proc/self/fd/\(directory.raw)").appending(name)
    }
}
