import Glibc
import Platform
import Testing

struct ExtendedAttributeTests {
    private static func make(_ name: String, _ value: [UInt8]) -> ExtendedAttribute {
        ExtendedAttribute(name: name.bytes, value: value)
    }

    /// Runs a test where the file system has attributes, and says so where it has none.
    private func withAttributes(_ body: (TemporaryDirectory) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        let name = try directory.file("probe")
        let failure = try errno {
            try Self.make("user.probe", []).write(to: name, in: directory.descriptor)
        }
        if failure == .notSupported {
            print("SKIPPED: no extended attributes in \(directory.path); nothing was tested")
            return
        }
        #expect(failure == nil)
        try body(directory)
    }

    @Test func attributesAreReadBackInOrderOfTheirNames() throws {
        try withAttributes { directory in
            let written = [
                Self.make("user.a", []), Self.make("user.b", [0, 1, 255]),
                Self.make("user.long", Array(repeating: 7, count: 2000)),
            ]
            try directory.file("f")
            let file = try Descriptor.open("f".bytes, in: directory.descriptor, flags: O_RDONLY)
            for attribute in written.reversed() { try attribute.write(to: file) }
            #expect(try user(ExtendedAttribute.read(of: file)) == written)
            #expect(
                try user(ExtendedAttribute.read(of: "f".bytes, in: directory.descriptor)) == written
            )
            try ExtendedAttribute.remove("user.b".bytes, of: "f".bytes, in: directory.descriptor)
            try ExtendedAttribute.remove("user.b".bytes, of: "f".bytes, in: directory.descriptor)
            #expect(try user(ExtendedAttribute.read(of: file)) == [written[0], written[2]])
        }
    }

    /// More names than the first call has room for.
    @Test func manyAttributesAreAllFound() throws {
        try withAttributes { directory in
            try directory.file("f")
            let written = (100..<150).map { Self.make("user.some-longer-name-\($0)", [1]) }
            for attribute in written {
                try attribute.write(to: "f".bytes, in: directory.descriptor)
            }
            let found = try user(ExtendedAttribute.read(of: "f".bytes, in: directory.descriptor))
            #expect(found == written)
        }
    }

    @Test func attributesOfALinksTargetAreNotTheLinks() throws {
        try withAttributes { directory in
            try directory.file("f")
            try Self.make("user.a", [1]).write(to: "f".bytes, in: directory.descriptor)
            try FileTree.makeSymbolicLink("l".bytes, in: directory.descriptor, target: "f".bytes)
            let found = try ExtendedAttribute.read(of: "l".bytes, in: directory.descriptor)
            #expect(user(found).isEmpty)
            if getuid() == 0 {
                let own = Self.make("trusted.holdfast", [2])
                try own.write(to: "l".bytes, in: directory.descriptor)
                let read = try ExtendedAttribute.read(of: "l".bytes, in: directory.descriptor)
                #expect(read.contains(own))
            }
        }
    }

    @Test func fileSystemWithoutAttributesReadsAsNone() throws {
        let proc = try Descriptor.open("/proc/self", flags: O_RDONLY | O_DIRECTORY)
        #expect(try ExtendedAttribute.read(of: "stat".bytes, in: proc).isEmpty)
    }

    /// Security modules add their own to every file.
    private func user(_ attributes: [ExtendedAttribute]) -> [ExtendedAttribute] {
        attributes.filter { $0.name.starts(with: "user.".utf8) }
    }
}
