import Platform
import Simulation
import Testing

@Suite struct DirectoryNoticesTests {
    @Test func aDirectoryThatGoesIsToldOfAndItsSuccessorIsAnother() throws {
        let scratch = ScratchFolder()
        let path = try scratch.folder("watched")
        let notices = try DirectoryNotices()
        let number = try notices.watch(path)
        #expect(try notices.watch(path) == number)
        let disk = LinuxDisk()
        try disk.removeDirectory(path)
        #expect(try notices.take().contains { $0.directory == number && $0.isOfDirectory })
        try disk.makeDirectory(path)
        let next = try notices.watch(path)
        #expect(next != number)
        try disk.rename(path, to: path.parent.appending("elsewhere"))
        #expect(try notices.take().contains { $0.directory == next && $0.isOfDirectory })
    }
}
