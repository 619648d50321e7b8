import Glibc
import Platform
import Testing

struct FileTreeTests {
    let directory = try? TemporaryDirectory()

    @Test func hardLinkIsASecondNameOfTheSameFile() throws {
        let directory = try #require(directory)
        try directory.file("a", [1, 2, 3])
        try FileTree.makeHardLink(
            "b".bytes, in: directory.descriptor, to: "a".bytes, in: directory.descriptor)
        let first = try FileStatus.of("a".bytes, in: directory.descriptor)
        let second = try FileStatus.of("b".bytes, in: directory.descriptor)
        #expect(first.inode == second.inode)
        #expect(second.links == 2)
        #expect(try directory.contents("b") == [1, 2, 3])
    }

    @Test(arguments: [1_700_000_000, 86_400, 4_000_000_000] as [Int64])
    func timesAreSetToTheNanosecond(_ seconds: Int64) throws {
        let directory = try #require(directory)
        let moment = Timestamp(seconds: seconds, nanoseconds: 123_456_789)
        try directory.file("f")
        try FileTree.makeSymbolicLink("l".bytes, in: directory.descriptor, target: "f".bytes)
        for name in ["f", "l", "."].map(\.bytes) {
            try FileTree.setTimes(name, in: directory.descriptor, modified: moment)
            #expect(try FileStatus.of(name, in: directory.descriptor).modified == moment)
        }
    }

    @Test func settingTheTimeOfALinkLeavesItsTargetAlone() throws {
        let directory = try #require(directory)
        try directory.file("f")
        let before = try FileStatus.of("f".bytes, in: directory.descriptor)
        try FileTree.makeSymbolicLink("l".bytes, in: directory.descriptor, target: "f".bytes)
        try FileTree.setTimes(
            "l".bytes, in: directory.descriptor, modified: Timestamp(seconds: 1, nanoseconds: 1))
        #expect(try FileStatus.of("f".bytes, in: directory.descriptor) == before)
    }

    @Test func exclusiveRenameNeverReplaces() throws {
        let directory = try #require(directory)
        let descriptor = Array("abc").map { String($0).bytes }
        try directory.file("a", [1])
        try directory.file("b", [2])
        let failure = try errno {
            try FileTree.renameExclusively(
                descriptor[0], in: directory.descriptor, to: descriptor[1], in: directory.descriptor
            )
        }
        #expect(failure == .fileExists)
        #expect(try directory.contents("b") == [2])
        try FileTree.renameExclusively(
            descriptor[0], in: directory.descriptor, to: descriptor[2], in: directory.descriptor)
        #expect(try directory.contents("c") == [1])
        try FileTree.rename(
            descriptor[2], in: directory.descriptor, to: descriptor[1], in: directory.descriptor)
        #expect(try directory.contents("b") == [1])
        let names = try Directory.names(in: directory.descriptor, path: directory.path)
        #expect(names == [descriptor[1]])
    }

    @Test(arguments: [1, 255, 256, 300, 4000])
    func targetOfASymbolicLinkIsReadWhole(_ length: Int) throws {
        let directory = try #require(directory)
        let target = (0..<length).map { $0 % 9 == 8 ? UInt8(ascii: "/") : 0xF0 | UInt8($0 % 7) }
        try FileTree.makeSymbolicLink("l".bytes, in: directory.descriptor, target: target)
        #expect(try FileTree.readLink("l".bytes, in: directory.descriptor) == target)
    }

    @Test func permissionsAreSetInFullAndNeverThroughALink() throws {
        let directory = try #require(directory)
        try directory.file("f")
        try FileTree.makeSymbolicLink("l".bytes, in: directory.descriptor, target: "f".bytes)
        try FileTree.setPermissions("f".bytes, in: directory.descriptor, 0o4751)
        #expect(try FileStatus.of("f".bytes, in: directory.descriptor).permissions == 0o4751)
        let failure = try errno {
            try FileTree.setPermissions("l".bytes, in: directory.descriptor, 0o600)
        }
        #expect(failure == .notSupported)
        #expect(try FileStatus.of("f".bytes, in: directory.descriptor).permissions == 0o4751)
    }

    @Test func ownerIsSetOfTheLinkItself() throws {
        let directory = try #require(directory)
        try directory.file("f")
        try FileTree.makeSymbolicLink("l".bytes, in: directory.descriptor, target: "f".bytes)
        let (user, group) = getuid() == 0 ? (1234, 2345) : (getuid(), getgid())
        try FileTree.setOwner("l".bytes, in: directory.descriptor, userID: user, groupID: group)
        let link = try FileStatus.of("l".bytes, in: directory.descriptor)
        #expect(link.userID == user && link.groupID == group)
        #expect(try FileStatus.of("f".bytes, in: directory.descriptor).userID == getuid())
    }

    @Test func nodesOfSpecialKindsAreMade() throws {
        let directory = try #require(directory)
        try FileTree.makeNode("p".bytes, in: directory.descriptor, kind: .fifo)
        try FileTree.makeNode("s".bytes, in: directory.descriptor, kind: .socket)
        #expect(try FileStatus.of("p".bytes, in: directory.descriptor).kind == .fifo)
        #expect(try FileStatus.of("s".bytes, in: directory.descriptor).kind == .socket)
        if getuid() == 0 {
            let device = DeviceNumber.of(major: 1, minor: 3)
            try FileTree.makeNode(
                "c".bytes, in: directory.descriptor, kind: .characterDevice, device: device)
            let status = try FileStatus.of("c".bytes, in: directory.descriptor)
            #expect(status.kind == .characterDevice && status.specialDevice == device)
            #expect(DeviceNumber.major(device) == 1 && DeviceNumber.minor(device) == 3)
        }
        let failure = try errno {
            try FileTree.makeNode("r".bytes, in: directory.descriptor, kind: .regular)
        }
        #expect(failure == .invalidArgument)
    }

    @Test func directoryIsRemovedOnlyWhenEmpty() throws {
        let directory = try #require(directory)
        try FileTree.makeDirectory("d".bytes, in: directory.descriptor)
        try directory.file("d-file")
        let inner = try Descriptor.open(
            "d".bytes, in: directory.descriptor, flags: O_RDONLY | O_DIRECTORY)
        try FileTree.rename("d-file".bytes, in: directory.descriptor, to: "f".bytes, in: inner)
        let full = try errno {
            try FileTree.removeDirectory("d".bytes, in: directory.descriptor)
        }
        #expect(full == .directoryNotEmpty)
        try FileTree.remove("f".bytes, in: inner)
        try FileTree.removeDirectory("d".bytes, in: directory.descriptor)
        let gone = try errno { _ = try FileStatus.of("d".bytes, in: directory.descriptor) }
        #expect(gone == .noSuchFile)
    }

    @Test func secondNameThatLeavesTheDirectoryIsRefused() throws {
        let directory = try #require(directory)
        try directory.file("a")
        for name in ["../x", "..", "/tmp/x"].map(\.bytes) {
            let renamed = try errno {
                try FileTree.rename(
                    "a".bytes, in: directory.descriptor, to: name, in: directory.descriptor)
            }
            #expect(renamed == .invalidArgument)
            let linked = try errno {
                try FileTree.makeHardLink(
                    "b".bytes, in: directory.descriptor, to: name, in: directory.descriptor)
            }
            #expect(linked == .invalidArgument)
        }
    }

    @Test func accountNamesAreFoundBothWays() {
        let names = AccountNames()
        for _ in 0..<2 {
            #expect(names.userName(of: 0) == "root")
            #expect(names.groupName(of: 0) == "root")
            #expect(names.userID(named: "root") == 0)
            #expect(names.groupID(named: "root") == 0)
            #expect(names.userName(of: 3_999_999_999) == nil)
            #expect(names.groupID(named: "no such group") == nil)
        }
    }
}
