import Glibc
package import Platform
package import Repository
package import Timeline

/// A state of a database that a restore is to bring back, whatever a snapshot says of it.
package struct DatabaseState: Sendable {
    /// Absolute, as the database was recorded.
    package let path: FilePath
    let node: Node

    /// - Parameter known: what a snapshot keeps of the file: owner, mode, attributes.
    package init(_ record: RecordHandle, of stream: Stream, as known: Node?) {
        path = stream.path
        var node =
            known
            ?? Node(
                database: path.lastComponent, userID: geteuid(), groupID: getegid(),
                modified: record.record.seen.wall)
        node.content = .database(record.reference(in: stream.identity.stream))
        node.size = UInt64(record.record.pageCount) * UInt64(record.record.pageSize)
        node.modified = record.record.seen.wall
        self.node = node
    }
}

// States that are named beside a snapshot, or without one.
extension Restorer {
    /// The entry of the snapshot, or the state that is to be there instead.
    func stated(_ node: Node, _ path: FilePath) -> Node {
        guard case .database = node.content else { return node }
        return source.state(at: patternPath(path))?.node ?? node
    }

    /// Whether an entry that the snapshot lacks is a database, or lies beside one, whose state is
    /// restored from its history.
    func comesFromHistory(_ path: FilePath) -> Bool {
        let path = patternPath(path)
        return source.state(at: path) != nil
            || DatabaseSidecar.suffixes.contains { suffix in
                path.suffix(suffix.count).elementsEqual(suffix)
                    && source.state(at: Array(path.dropLast(suffix.count))) != nil
            }
    }

    /// Queues the databases that the snapshot does not have.
    func queueStrangers(in target: TargetDirectory?) throws {
        for state in source.strangers where selects(state) {
            let path = path(of: state)
            report.update { $0.asked += 1 }
            guard let target, !request.dryRun else {
                report.say(.item(.restored, path: path, bytes: state.node.size))
                continue
            }
            do {
                try makeParents(of: state.way, target)
                guard let way = TargetWay(state.way) else { continue }
                databases.append((way, state.node))
            } catch {
                report.problem(path, during: "making the directory", error)
            }
        }
    }

    func path(of state: DatabaseState) -> FilePath {
        state.way.reduce(request.target) { $0.appending($1) }
    }

    /// Whether the patterns select a database, and leave out no directory above it.
    func selects(_ state: DatabaseState) -> Bool {
        var directory = request.target
        for name in state.way.dropLast() {
            directory = directory.appending(name)
            guard
                selects(directory, isDirectory: true)
                    || request.selection.mayContain(patternPath(directory))
            else { return false }
        }
        return selects(path(of: state), isDirectory: false)
    }

    private func makeParents(of way: [[UInt8]], _ target: TargetDirectory) throws {
        var directory = target
        for name in way.dropLast() {
            if try directory.status(name) == nil {
                try FileTree.makeDirectory(name, in: directory.descriptor, permissions: 0o700)
                report.update { $0.directories += 1 }
            }
            directory = try directory.open(name)
            try willWrite(in: directory)
        }
    }
}

extension DatabaseState {
    /// The path's components: the way from the target.
    var way: [[UInt8]] { path.components }
}
