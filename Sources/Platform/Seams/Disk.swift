/// One entry of a directory on a ``Disk``.
package struct DiskEntry: Hashable, Sendable {
    package let name: String
    package let kind: FileKind
    /// Bytes; of a directory without meaning.
    package let size: UInt64

    package init(name: String, kind: FileKind, size: UInt64) {
        self.name = name
        self.kind = kind
        self.size = size
    }
}

/// The file system under a repository.
///
/// Nothing is durable before it is synced: a file's data by ``DiskWriter/sync()``, its name by
/// ``syncDirectory(_:)`` of the directory that holds it. A rename is atomic all the same.
package protocol Disk: Sendable {
    /// For the owner alone; EEXIST where the name is taken.
    func makeDirectory(_ path: FilePath) throws(SystemError)
    /// In no order. Names that are not UTF-8 are left out, for none of ours is like that.
    func entries(of directory: FilePath) throws(SystemError) -> [DiskEntry]
    /// Nil when absent; never follows a link.
    func entry(at path: FilePath) throws(SystemError) -> DiskEntry?
    /// For the owner alone; EEXIST where the name is taken.
    func create(_ path: FilePath) throws(SystemError) -> any DiskWriter
    /// Regular files only; EISDIR at a directory.
    func open(_ path: FilePath) throws(SystemError) -> any DiskReader
    /// Moves a file or directory; a file replaces a file, a directory an empty directory.
    func rename(_ from: FilePath, to: FilePath) throws(SystemError)
    /// Moves a file or directory; EEXIST where the new name is taken.
    func renameExclusively(_ from: FilePath, to: FilePath) throws(SystemError)
    /// Removes any name but a directory's.
    func remove(_ path: FilePath) throws(SystemError)
    /// Removes an empty directory.
    func removeDirectory(_ path: FilePath) throws(SystemError)
    /// Makes the names in a directory durable as they are.
    func syncDirectory(_ path: FilePath) throws(SystemError)
    /// Takes the lock that a file stands for, which is made where it is absent and never removed;
    /// EAGAIN where anybody holds it, this process too.
    func lock(_ path: FilePath) throws(SystemError) -> any DiskLock
}

/// A lock, held until nobody refers to it any more or the process ends.
package protocol DiskLock: AnyObject, Sendable {}

/// A new file, written from its beginning to its end by one thread at a time.
package protocol DiskWriter: AnyObject, Sendable {
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError)
    /// Makes what was written durable. After a failure it fails for ever: what the system could
    /// not write it no longer has.
    func sync() throws(SystemError)
    func close() throws(SystemError)
}

/// An open file that any number of threads may read.
package protocol DiskReader: AnyObject, Sendable {
    /// Bytes, when it was opened.
    var size: UInt64 { get }
    /// Answers the bytes read, fewer than asked for only at the end.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int
}
