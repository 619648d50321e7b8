import Glibc
import Platform
import Testing

struct DirectoryTests {
    @Test func allOfManyNamesAreListedTwiceOverOneDescriptor() throws {
        let directory = try TemporaryDirectory()
        let names = Set((0..<2500).map { "entry-\($0)-" + String(repeating: "x", count: $0 % 120) })
        for name in names { try directory.file(name) }
        for _ in 0..<2 {
            let found = try Directory.names(in: directory.descriptor, path: directory.path)
            #expect(found.count == names.count)
            #expect(Set(found) == Set(names.map(\.bytes)))
        }
    }

    @Test func emptyDirectoryHasNoNames() throws {
        let directory = try TemporaryDirectory()
        #expect(try Directory.names(in: directory.descriptor, path: directory.path).isEmpty)
    }

    @Test func namesOfAnyBytesComeThrough() throws {
        let directory = try TemporaryDirectory()
        let names: [[UInt8]] = [
            "line\nbreak".bytes, [0xFF, 0xFE], [0xC3, 0x28], "...".bytes, " ".bytes, [0x01],
            Array(repeating: UInt8(ascii: "n"), count: 255),
        ]
        for name in names {
            _ = try Descriptor.open(
                name, in: directory.descriptor, flags: O_WRONLY | O_CREAT | O_EXCL)
        }
        let found = try Directory.names(in: directory.descriptor, path: directory.path)
        #expect(Set(found) == Set(names))
        for name in names {
            #expect(try FileStatus.of(name, in: directory.descriptor).kind == .regular)
            try FileTree.remove(name, in: directory.descriptor)
        }
    }
}
