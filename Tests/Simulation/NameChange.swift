/// A place for a name in a directory.
struct NameSlot: Hashable, Sendable {
    /// The directory's inode.
    let directory: Int
    let name: [UInt8]
}

/// One step by which names changed: it happens as a whole or not at all.
struct NameChange: Sendable {
    /// What a step touches. Of two that touch the same, the later one cannot survive alone.
    enum Mark: Hashable, Sendable {
        case slot(NameSlot)
        case inode(Int)
        /// Moves of directories between directories: out of order they could make a circle.
        case shapeOfTheTree
    }

    let inode: Int
    /// Where the inode's name was taken away.
    let from: NameSlot?
    /// Where the inode got its name, whoever had that before.
    let to: NameSlot?
    let movesDirectory: Bool

    init(_ inode: Int, from: NameSlot? = nil, to: NameSlot? = nil, movesDirectory: Bool = false) {
        self.inode = inode
        self.from = from
        self.to = to
        self.movesDirectory = movesDirectory
    }

    var marks: [Mark] {
        var marks: [Mark] = [.inode(inode)]
        if let from { marks.append(.slot(from)) }
        if let to { marks.append(.slot(to)) }
        if movesDirectory, from?.directory != to?.directory { marks.append(.shapeOfTheTree) }
        return marks
    }

    func touches(directory: Int) -> Bool {
        from?.directory == directory || to?.directory == directory
    }

    /// Makes the step in a table of names.
    func apply(to names: inout [NameSlot: Int]) {
        if let from, names[from] == inode { names[from] = nil }
        if let to { names[to] = inode }
    }
}

/// The steps that a power failure can still undo, oldest first.
struct UnsyncedChanges: Sendable {
    private var changes: [NameChange] = []

    mutating func append(_ change: NameChange) {
        changes.append(change)
    }

    /// Makes some steps durable, and those that they rest on.
    mutating func settle(
        in durable: inout [NameSlot: Int], where isSynced: (NameChange) -> Bool
    ) {
        var needed: Set<NameChange.Mark> = []
        var settled: [NameChange] = []
        var open: [NameChange] = []
        for change in changes.reversed() {
            let marks = change.marks
            if isSynced(change) || !needed.isDisjoint(with: marks) {
                needed.formUnion(marks)
                settled.append(change)
            } else {
                open.append(change)
            }
        }
        for change in settled.reversed() { change.apply(to: &durable) }
        changes = open.reversed()
    }

    /// Keeps or drops each step, and drops what rests on a dropped one.
    func crash(
        _ durable: [NameSlot: Int], _ chance: SeededRandomness, keepingInEight odds: Int
    ) -> [NameSlot: Int] {
        var names = durable
        var dropped: Set<NameChange.Mark> = []
        for change in changes {
            if chance.chance(odds, in: 8), dropped.isDisjoint(with: change.marks) {
                change.apply(to: &names)
            } else {
                dropped.formUnion(change.marks)
            }
        }
        return names
    }
}
