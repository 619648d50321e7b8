import Glibc
import Platform

/// The names on a simulated disk: as every process sees them, and as a power failure leaves them.
struct SimulatedNames: Sendable {
    static let root = 0

    /// What directories hold now, by directory and name.
    private(set) var directories: [Int: [[UInt8]: Int]] = [root: [:]]
    private var durable: [NameSlot: Int] = [:]
    private var unsynced = UnsyncedChanges()
    private var nextInode = 1

    init() {}

    func isDirectory(_ inode: Int) -> Bool { directories[inode] != nil }

    /// The inode a path names; nil where only its last component is missing.
    func find(_ operation: String, _ path: FilePath) throws(SystemError) -> Int? {
        guard !path.bytes.isEmpty else { throw SystemError(operation, path, .noSuchFile) }
        var trail = [SimulatedNames.root]
        let components = path.components
        for (index, component) in components.enumerated() {
            guard let here = trail.last, let names = directories[here] else {
                throw SystemError(operation, path, .notDirectory)
            }
            if component == [0x2E] { continue }
            if component == [0x2E, 0x2E] {
                if trail.count > 1 { trail.removeLast() }
            } else if let next = names[component] {
                trail.append(next)
            } else if index == components.count - 1 {
                return nil
            } else {
                throw SystemError(operation, path, .noSuchFile)
            }
        }
        return trail.last
    }

    /// The inode a path names; throws ENOENT where there is none.
    func require(_ operation: String, _ path: FilePath) throws(SystemError) -> Int {
        guard let inode = try find(operation, path) else {
            throw SystemError(operation, path, .noSuchFile)
        }
        return inode
    }

    /// The directory and name a path stands for, whether or not the name is taken.
    func slot(_ operation: String, _ path: FilePath) throws(SystemError) -> NameSlot {
        let name = path.lastComponent
        guard !name.isEmpty, name != [0x2E], name != [0x2E, 0x2E] else {
            throw SystemError(operation, path, path.bytes.isEmpty ? .noSuchFile : .busy)
        }
        let directory =
            path.components.count == 1
            ? SimulatedNames.root : try require(operation, path.parent)
        guard isDirectory(directory) else { throw SystemError(operation, path, .notDirectory) }
        return NameSlot(directory: directory, name: name)
    }

    private subscript(slot: NameSlot) -> Int? {
        get { directories[slot.directory]?[slot.name] }
        set { directories[slot.directory]?[slot.name] = newValue }
    }

    /// Gives a new inode a free name.
    mutating func add(
        _ operation: String, _ path: FilePath, directory: Bool
    ) throws(SystemError) -> Int {
        if path.components.isEmpty, path.isAbsolute {
            throw SystemError(operation, path, .fileExists)
        }
        let slot = try slot(operation, path)
        guard self[slot] == nil else { throw SystemError(operation, path, .fileExists) }
        let inode = nextInode
        nextInode += 1
        if directory { directories[inode] = [:] }
        self[slot] = inode
        unsynced.append(NameChange(inode, to: slot))
        return inode
    }

    mutating func remove(
        _ operation: String, _ path: FilePath, directory: Bool
    ) throws(SystemError) {
        let slot = try slot(operation, path)
        let inode = try require(operation, path)
        if directory {
            try requireEmpty(operation, path, inode)
        } else if isDirectory(inode) {
            throw SystemError(operation, path, .isDirectory)
        }
        self[slot] = nil
        unsynced.append(NameChange(inode, from: slot))
    }

    private func requireEmpty(
        _ operation: String, _ path: FilePath, _ inode: Int
    ) throws(SystemError) {
        guard let names = directories[inode] else {
            throw SystemError(operation, path, .notDirectory)
        }
        guard names.isEmpty else { throw SystemError(operation, path, .directoryNotEmpty) }
    }

    mutating func move(
        _ from: FilePath, to: FilePath, exclusively: Bool
    ) throws(SystemError) {
        let source = try slot("rename", from)
        let inode = try require("rename", from)
        let target = try slot("rename", to)
        if let taken = self[target] {
            if exclusively { throw SystemError("rename", from, .fileExists) }
            if taken == inode { return }
            if isDirectory(inode) {
                try requireEmpty("rename", from, taken)
            } else if isDirectory(taken) {
                throw SystemError("rename", from, .isDirectory)
            }
        }
        guard !holds(inode, target.directory) else {
            throw SystemError("rename", from, .invalidArgument)
        }
        self[source] = nil
        self[target] = inode
        unsynced.append(
            NameChange(inode, from: source, to: target, movesDirectory: isDirectory(inode)))
    }

    /// Whether a directory is another one, or holds it at any depth.
    private func holds(_ ancestor: Int, _ inode: Int) -> Bool {
        if ancestor == inode { return true }
        return (directories[ancestor] ?? [:]).values.contains {
            isDirectory($0) && holds($0, inode)
        }
    }

    mutating func sync(directory: Int) {
        unsynced.settle(in: &durable) { $0.touches(directory: directory) }
    }

    mutating func sync(_ slot: NameSlot) {
        unsynced.settle(in: &durable) { $0.marks.contains(.slot(slot)) }
    }

    /// Makes all names durable as they are.
    mutating func settle() {
        unsynced = UnsyncedChanges()
        durable = [:]
        for (directory, names) in directories {
            for (name, inode) in names {
                durable[NameSlot(directory: directory, name: name)] = inode
            }
        }
    }

    /// The names as they are found after a power failure, all of them durable.
    func afterCrash(_ chance: SeededRandomness, keepingInEight odds: Int) -> SimulatedNames {
        let names = unsynced.crash(durable, chance, keepingInEight: odds)
        var found = SimulatedNames()
        found.nextInode = nextInode
        for inode in names.values where isDirectory(inode) { found.directories[inode] = [:] }
        for (slot, inode) in names { found.directories[slot.directory]?[slot.name] = inode }
        found.forgetLostDirectories()
        found.settle()
        return found
    }

    private mutating func forgetLostDirectories() {
        var reached: Set<Int> = []
        var open = [SimulatedNames.root]
        while let inode = open.popLast() {
            guard reached.insert(inode).inserted else { continue }
            open += (directories[inode] ?? [:]).values.filter(isDirectory)
        }
        directories = directories.filter { reached.contains($0.key) }
    }

    /// All inodes that have a name, with their paths, in order of the paths.
    var paths: [(path: FilePath, inode: Int)] {
        var found: [(path: FilePath, inode: Int)] = []
        var open = [(path: FilePath("/"), inode: SimulatedNames.root)]
        while let here = open.popLast() {
            for (name, inode) in directories[here.inode] ?? [:] {
                let path = here.path.appending(name)
                found.append((path, inode))
                if isDirectory(inode) { open.append((path, inode)) }
            }
        }
        return found.sorted { $0.path < $1.path }
    }
}
