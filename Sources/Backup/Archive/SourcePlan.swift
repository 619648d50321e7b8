import Platform

/// The paths of a backup as one tree from the root: directories that only lead to a source are
/// recorded with nothing but the way.
struct SourcePlan {
    final class Branch {
        /// Whether this is a source itself: everything below belongs to the backup.
        var isSource = false
        var children: [[UInt8]: Branch] = [:]

        var sortedNames: [[UInt8]] { children.keys.sorted { $0.precedes($1) } }
    }

    let root = Branch()

    init(_ paths: [FilePath]) {
        for path in paths {
            var branch = root
            for component in path.components where !branch.isSource {
                let next = branch.children[component] ?? Branch()
                branch.children[component] = next
                branch = next
            }
            branch.isSource = true
            branch.children = [:]
        }
    }
}
