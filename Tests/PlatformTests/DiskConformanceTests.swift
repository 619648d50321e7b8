import Glibc
import Platform
import Simulation
import Testing

/// One behaviour that every disk must have.
struct DiskBehaviour: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let check: @Sendable (any Disk, FilePath) throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (any Disk, FilePath) throws -> Void) {
        testDescription = description
        self.check = check
    }
}

enum DiskKind: CaseIterable, Sendable {
    case linux, simulated
}

struct DiskConformanceTests {
    @Test(arguments: DiskBehaviour.all, DiskKind.allCases)
    func everyDiskBehavesTheSame(_ behaviour: DiskBehaviour, _ kind: DiskKind) throws {
        switch kind {
        case .linux:
            let directory = try TemporaryDirectory()
            try behaviour.check(LinuxDisk(), directory.path)
        case .simulated:
            let disk = SimulatedDisk()
            try disk.makeDirectory("/root")
            try behaviour.check(disk, "/root")
        }
    }
}

extension Disk {
    func put(_ path: FilePath, _ bytes: [UInt8]) throws {
        let file = try create(path)
        try bytes.withUnsafeBytes { try file.write($0) }
        try file.sync()
        try file.close()
    }

    func get(_ path: FilePath) throws -> [UInt8] {
        let file = try open(path)
        return try file.bytes(at: 0, count: Int(file.size) + 1)
    }

    func names(_ path: FilePath) throws -> [String] {
        try entries(of: path).map(\.name).sorted()
    }
}

extension DiskReader {
    func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: count)
        let done = try bytes.withUnsafeMutableBytes { try self.read(into: $0, at: offset) }
        return Array(bytes.prefix(done))
    }
}

extension DiskBehaviour {
    static let all = files + names + moves

    private static let files = [
        DiskBehaviour("a file is read back as it was written") { disk, root in
            let file = try disk.create(root.appending("f"))
            for part in [[1, 2], [], [3]] as [[UInt8]] {
                try part.withUnsafeBytes { try file.write($0) }
            }
            try file.sync()
            try file.close()
            let reader = try disk.open(root.appending("f"))
            #expect(reader.size == 3)
            #expect(try reader.bytes(at: 0, count: 9) == [1, 2, 3])
            #expect(try reader.bytes(at: 1, count: 1) == [2])
            #expect(try reader.bytes(at: 3, count: 1) == [])
            #expect(try reader.bytes(at: 99, count: 1) == [])
        },
        DiskBehaviour("a new file takes no taken name") { disk, root in
            try disk.put(root.appending("f"), [1])
            try disk.makeDirectory(root.appending("d"))
            for name in ["f", "d"] {
                #expect(try errno { _ = try disk.create(root.appending(name)) } == .fileExists)
                #expect(try errno { try disk.makeDirectory(root.appending(name)) } == .fileExists)
            }
            #expect(try disk.get(root.appending("f")) == [1])
        },
        DiskBehaviour("a closed writer writes no more") { disk, root in
            let file = try disk.create(root.appending("f"))
            try file.close()
            #expect(try errno { try file.close() } == .badDescriptor)
            #expect(try errno { try file.sync() } == .badDescriptor)
            let write = try errno { try [UInt8](1...3).withUnsafeBytes { try file.write($0) } }
            #expect(write == .badDescriptor)
        },
        DiskBehaviour("what is open survives its removal") { disk, root in
            try disk.put(root.appending("f"), [1, 2])
            let reader = try disk.open(root.appending("f"))
            try disk.remove(root.appending("f"))
            #expect(try reader.bytes(at: 0, count: 9) == [1, 2])
            #expect(try disk.entry(at: root.appending("f")) == nil)
        },
        DiskBehaviour("what is not there, or no file, is not opened") { disk, root in
            try disk.makeDirectory(root.appending("d"))
            try disk.put(root.appending("f"), [1])
            #expect(try errno { _ = try disk.open(root.appending("x")) } == .noSuchFile)
            #expect(try errno { _ = try disk.open(root.appending("d")) } == .isDirectory)
            #expect(try errno { _ = try disk.open(root.appending("f/x")) } == .notDirectory)
            #expect(try errno { _ = try disk.create(root.appending("x/y")) } == .noSuchFile)
            #expect(try errno { _ = try disk.open("") } == .noSuchFile)
        },
    ]

    private static let names = [
        DiskBehaviour("entries have names, kinds and sizes") { disk, root in
            try disk.put(root.appending("f"), Array(repeating: 1, count: 700))
            try disk.makeDirectory(root.appending("d"))
            let entries = try disk.entries(of: root).sorted { $0.name < $1.name }
            #expect(entries.map(\.name) == ["d", "f"])
            #expect(entries.map(\.kind) == [.directory, .regular])
            #expect(entries[1].size == 700)
            #expect(try disk.entry(at: root.appending("f")) == entries[1])
            #expect(try disk.entry(at: root.appending("d"))?.kind == .directory)
            #expect(try disk.entry(at: root.appending("x")) == nil)
            #expect(try disk.entry(at: root.appending("x/y")) == nil)
            #expect(try errno { _ = try disk.entry(at: root.appending("f/y")) } == .notDirectory)
            #expect(try errno { _ = try disk.entries(of: root.appending("f")) } == .notDirectory)
            #expect(try errno { _ = try disk.entries(of: root.appending("x")) } == .noSuchFile)
        },
        DiskBehaviour("names that are not UTF-8 are left out") { disk, root in
            try disk.put(root.appending([0xFF]), [1])
            try disk.put(root.appending("ü"), [1])
            #expect(try disk.names(root) == ["ü"])
        },
        DiskBehaviour("files and directories are removed by their own verb") { disk, root in
            try disk.makeDirectory(root.appending("d"))
            try disk.put(root.appending("d/f"), [1])
            let directory = root.appending("d")
            #expect(try errno { try disk.removeDirectory(directory) } == .directoryNotEmpty)
            #expect(try errno { try disk.remove(directory) } == .isDirectory)
            let file = directory.appending("f")
            #expect(try errno { try disk.removeDirectory(file) } == .notDirectory)
            try disk.remove(file)
            #expect(try errno { try disk.remove(file) } == .noSuchFile)
            try disk.removeDirectory(directory)
            #expect(try disk.names(root) == [])
        },
        DiskBehaviour("directories are synced, files are not") { disk, root in
            try disk.put(root.appending("f"), [1])
            try disk.syncDirectory(root)
            #expect(try errno { try disk.syncDirectory(root.appending("f")) } == .notDirectory)
            #expect(try errno { try disk.syncDirectory(root.appending("x")) } == .noSuchFile)
        },
    ]

    private static let moves = [
        DiskBehaviour("a move replaces a file") { disk, root in
            try disk.put(root.appending("a"), [1])
            try disk.put(root.appending("b"), [2])
            try disk.rename(root.appending("a"), to: root.appending("b"))
            #expect(try disk.names(root) == ["b"])
            #expect(try disk.get(root.appending("b")) == [1])
            try disk.rename(root.appending("b"), to: root.appending("b"))
            #expect(try disk.get(root.appending("b")) == [1])
        },
        DiskBehaviour("an exclusive move replaces nothing") { disk, root in
            try disk.put(root.appending("a"), [1])
            try disk.put(root.appending("b"), [2])
            let taken = try errno {
                try disk.renameExclusively(root.appending("a"), to: root.appending("b"))
            }
            #expect(taken == .fileExists)
            try disk.renameExclusively(root.appending("a"), to: root.appending("c"))
            #expect(try disk.names(root) == ["b", "c"])
            let gone = try errno {
                try disk.renameExclusively(root.appending("a"), to: root.appending("d"))
            }
            #expect(gone == .noSuchFile)
        },
        DiskBehaviour("a directory moves with what is in it") { disk, root in
            try disk.makeDirectory(root.appending("d"))
            try disk.put(root.appending("d/f"), [1])
            let writer = try disk.create(root.appending("d/g"))
            try disk.rename(root.appending("d"), to: root.appending("e"))
            try [UInt8]([5]).withUnsafeBytes { try writer.write($0) }
            try writer.close()
            #expect(try disk.get(root.appending("e/f")) == [1])
            #expect(try disk.get(root.appending("e/g")) == [5])
            #expect(try errno { _ = try disk.open(root.appending("d/f")) } == .noSuchFile)
        },
        DiskBehaviour("files and directories do not replace each other") { disk, root in
            try disk.makeDirectory(root.appending("d"))
            try disk.makeDirectory(root.appending("e"))
            try disk.put(root.appending("e/f"), [1])
            try disk.put(root.appending("f"), [1])
            func move(_ from: String, _ to: String) throws -> Errno? {
                try errno { try disk.rename(root.appending(from), to: root.appending(to)) }
            }
            #expect(try move("f", "d") == .isDirectory)
            #expect(try move("d", "f") == .notDirectory)
            #expect(try move("d", "e") == .directoryNotEmpty)
            #expect(try move("d", "d/x") == .invalidArgument)
            #expect(try move("x", "y") == .noSuchFile)
            #expect(try move("f", "x/y") == .noSuchFile)
            #expect(try move("e", "d") == nil)
            #expect(try disk.names(root) == ["d", "f"])
        },
    ]
}
