/// Which paths are taken: all, or those that includes match, without those that excludes match.
///
/// Among excludes, and among includes, the last pattern that matches decides. Paths are absolute:
/// the source's in a backup, the snapshot's in a restore. A directory that is excluded is not
/// entered, so nothing beneath it comes back by a later `!` pattern.
package struct PathSelection: Sendable {
    private let excludes: [PathPattern]
    private let includes: [PathPattern]

    /// Takes everything.
    package static let everything = PathSelection()

    /// Makes a selection; without includes everything is included.
    package init(excludes: [PathPattern] = [], includes: [PathPattern] = []) {
        self.excludes = excludes
        self.includes = includes
    }

    /// Whether everything is taken.
    package var isEverything: Bool { excludes.isEmpty && includes.isEmpty }

    /// Whether only what some pattern matches is taken.
    package var hasIncludes: Bool { !includes.isEmpty }

    /// Whether the path is excluded by itself; for a walker, which came here because nothing above
    /// it is.
    package func excludes(_ path: [UInt8], isDirectory: Bool) -> Bool {
        guard !excludes.isEmpty else { return false }
        return excludes(SplitPath(path), isDirectory: isDirectory)
    }

    /// Whether the path or a directory above it is excluded; for a path that nobody walked to.
    package func excludesWithAncestors(_ path: [UInt8], isDirectory: Bool) -> Bool {
        guard !excludes.isEmpty else { return false }
        // In one pass for all: a pass for each directory on the way would take its depth's square.
        var progress = excludes.map(\.start)
        var isExcluded = false
        SplitPath(path).forEachName { name, isLast in
            guard !isExcluded else { return }
            for (number, pattern) in excludes.enumerated()
            where pattern.matches(
                name, after: &progress[number], isDirectory: isDirectory || !isLast)
            {
                isExcluded = !pattern.isNegated
            }
        }
        return isExcluded
    }

    /// Whether the path is taken: included, by itself or by a directory above it, and not excluded.
    package func selects(_ path: [UInt8], isDirectory: Bool) -> Bool {
        isIncluded(path, isDirectory: isDirectory)
            && !excludesWithAncestors(path, isDirectory: isDirectory)
    }

    /// Whether something beneath the directory could be taken, so that a walker must enter it.
    package func mayContain(_ directory: [UInt8]) -> Bool {
        guard !excludesWithAncestors(directory, isDirectory: true) else { return false }
        guard !includes.isEmpty else { return true }
        let path = SplitPath(directory)
        return includes.contains { pattern in
            guard !pattern.isNegated else { return false }
            let course = pattern.follow(path, isDirectory: true)
            return course.matchesPath || course.matchesAncestor || course.mayMatchBeneath
        }
    }

    private func isIncluded(_ path: [UInt8], isDirectory: Bool) -> Bool {
        guard !includes.isEmpty else { return true }
        let split = SplitPath(path)
        let last = includes.last { pattern in
            let course = pattern.follow(split, isDirectory: isDirectory)
            return course.matchesPath || course.matchesAncestor
        }
        return last.map { !$0.isNegated } ?? false
    }

    private func excludes(_ path: SplitPath, isDirectory: Bool) -> Bool {
        let last = excludes.last { $0.matches(path, isDirectory: isDirectory) }
        return last.map { !$0.isNegated } ?? false
    }
}
