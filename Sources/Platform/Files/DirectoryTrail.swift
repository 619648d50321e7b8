/// The way from a directory down to where a walk is, however deep that is: the first and the
/// innermost ones are open, of those between only their identity is kept.
///
/// The way back leads through `..`, or else once more down from the first, and each directory that
/// is opened again must be the one that was there: a walk never leaves its tree because something
/// was moved meanwhile.
package struct DirectoryTrail {
    /// How many of the innermost stay open; a tree that is less deep costs no call more.
    package static let mostOpen = 64

    private struct Step {
        let name: [UInt8]
        var directory: OpenDirectory?
        /// Known once it was closed.
        var identity: FileIdentity?
    }

    package let root: OpenDirectory
    private var steps: [Step] = []

    package init(from root: OpenDirectory) {
        self.root = root
    }

    /// How far below the first directory the innermost one lies.
    package var depth: Int { steps.count }

    /// Goes down into a directory that was opened in the innermost one.
    package mutating func enter(_ directory: OpenDirectory, as name: [UInt8]) throws(SystemError) {
        let outer = steps.count - DirectoryTrail.mostOpen
        if outer >= 0, let closing = steps[outer].directory {
            steps[outer].identity = try closing.identity()
            steps[outer].directory = nil
        }
        steps.append(Step(name: name, directory: directory))
    }

    /// Goes back up until the innermost directory is so many below the first.
    package mutating func leave(to depth: Int) {
        guard depth < steps.count else { return }
        if depth > 0, steps[depth - 1].directory == nil {
            steps[depth - 1].directory = climbed(to: depth)
        }
        steps.removeLast(steps.count - depth)
    }

    /// The directory that the walk is in; throws ESTALE where that, or one on the way to it, was
    /// moved or replaced.
    package mutating func innermost() throws(SystemError) -> OpenDirectory {
        guard let last = steps.last else { return root }
        if let directory = last.directory { return directory }
        var directory = root
        for step in steps {
            directory = try directory.open(step.name)
            if let identity = step.identity { try directory.require(identity) }
        }
        steps[steps.count - 1].directory = directory
        return directory
    }

    /// The directory of a step from an open one further down, where the way up is the shorter one.
    private func climbed(to depth: Int) -> OpenDirectory? {
        guard let base = steps[depth...].firstIndex(where: { $0.directory != nil }),
            base < depth * 2, var directory = steps[base].directory
        else { return nil }
        do {
            for step in steps[depth - 1..<base].reversed() {
                directory = try directory.above()
                if let identity = step.identity { try directory.require(identity) }
            }
            return directory
        } catch {
            // The directory below may have been moved, or be closed to us by now: `innermost()`
            // tries the way down, and it is that one's failure which counts.
            return nil
        }
    }
}

extension OpenDirectory {
    fileprivate func require(_ expected: FileIdentity) throws(SystemError) {
        guard try identity() == expected else { throw SystemError("open", path, .staleHandle) }
    }
}
