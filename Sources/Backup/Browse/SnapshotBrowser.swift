import Codec
package import Platform
package import Repository

/// Looks into the trees of snapshots; used by one thread.
package final class SnapshotBrowser {
    private let repository: Repository
    package let opener: BlobOpener

    package init(_ repository: Repository) {
        self.repository = repository
        opener = BlobOpener(repository)
    }

    /// The nodes of one run of a directory.
    package func nodes(of run: BlobReference) throws -> [Node] {
        do {
            return try TreeRun.decode(opener.read(run.id))
        } catch let error as FormatError {
            throw RepositoryError(
                .damaged, "directory \(run.id): \(error)",
                hint: "Run 'holdfast verify' to see what is hurt.")
        }
    }

    /// The node at a path of a snapshot, nil for the root itself; throws `absent`.
    package func node(at path: FilePath, in snapshot: StoredSnapshot) throws -> Node? {
        var runs = snapshot.snapshot.root
        var found: Node?
        for component in path.components {
            guard let node = try node(named: component, in: runs) else {
                throw RepositoryError(
                    .absent, "there is no '\(path)' in snapshot \(snapshot.shortID)",
                    hint: "See what is there with 'holdfast ls \(snapshot.shortID)'.")
            }
            found = node
            runs = node.runs
        }
        return found
    }

    private func node(named name: [UInt8], in runs: [BlobReference]) throws -> Node? {
        for run in runs {
            let nodes = try nodes(of: run)
            guard let last = nodes.last, !last.name.precedes(name) else { continue }
            return nodes.first { $0.name == name }
        }
        return nil
    }

    /// Visits all nodes below some runs, directories before what is in them.
    ///
    /// - Parameters:
    ///   - visit: gets each node with its path; returns whether to go into a directory.
    ///   - leave: gets each directory that was gone into, after what is in it.
    ///   - unreadable: gets each run that cannot be read, with its directory's path; throws on.
    package func walk(
        _ runs: [BlobReference], at path: FilePath, _ visit: (Node, FilePath) throws -> Bool,
        leave: (Node, FilePath) throws -> Void = { _, _ in },
        unreadable: (BlobReference, FilePath, any Error) throws -> Void = { throw $2 }
    ) throws {
        var stack = [Level(node: nil, runs: runs[...])]
        // One for all levels: a path a level would take the square of a tree's depth.
        var place = path
        while var top = stack.popLast() {
            if let node = top.nodes.popFirst() {
                stack.append(top)
                let path = place.appending(node.name)
                if try visit(node, path), node.kind == .directory {
                    stack.append(Level(node: node, runs: node.runs[...]))
                    place = path
                }
            } else if let run = top.runs.popFirst() {
                do {
                    top.nodes = try nodes(of: run)[...]
                } catch {
                    try unreadable(run, place, error)
                }
                stack.append(top)
            } else if let node = top.node {
                try leave(node, place)
                place = place.parent
            }
        }
    }

    /// A directory on the way down.
    private struct Level {
        let node: Node?
        var runs: ArraySlice<BlobReference>
        var nodes: ArraySlice<Node> = []
    }
}
