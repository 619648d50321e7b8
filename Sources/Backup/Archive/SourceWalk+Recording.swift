import Platform
import Repository
import Timeline

// What all entries share: how they reach the tree builder, and how they are counted.
extension SourceWalk {
    func send(_ event: WalkEvent) throws {
        eventsSinceFlush += 1
        // The builder waits for pieces of files in the batch; it must not wait for ever.
        if world.workers == 0 || eventsSinceFlush > TreeBuilder.capacity / 4 {
            try content.flush()
            eventsSinceFlush = 0
        }
        try trees.send(event)
    }

    func sendUnreadable(_ name: [UInt8], _ status: FileStatus, _ reason: String) throws {
        totals.unreadable += 1
        // Cut by bytes, since it is by bytes that a decoder bounds it.
        let short = String(decoding: reason.utf8.prefix(1000), as: UTF8.self)
        var node = Node(
            name: name, status: status, settled: false, content: .unreadable(reason: short))
        nameOwners(&node)
        try send(.entry(node, nil, extents: nil))
    }

    func isUnchanged(_ known: Node, _ status: FileStatus) -> Bool {
        known.settled && known.inode == status.inode && known.size == status.size
            && known.modified == status.modified && known.changed == status.changed
    }

    /// Whether both times lie 2 s and more before now, so that a later change must show in them.
    func isSettled(_ status: FileStatus) -> Bool {
        let limit = world.clock.now().adding(nanoseconds: -2_000_000_000)
        return status.modified < limit && status.changed < limit
    }

    /// A node with everything that can be told of an entry beside its content.
    func described(
        _ name: [UInt8], _ status: FileStatus, _ content: Node.Content,
        in directory: borrowing Descriptor, _ path: FilePath
    ) -> Node {
        var node = Node(
            name: name, status: status, settled: isSettled(status), content: content)
        nameOwners(&node)
        readAttributes(of: &node, in: directory, path)
        return node
    }

    func nameOwners(_ node: inout Node) {
        node.userName = accounts.userName(of: node.userID) ?? ""
        node.groupName = accounts.groupName(of: node.groupID) ?? ""
    }

    func readAttributes(
        of node: inout Node, in directory: borrowing Descriptor, _ path: FilePath
    ) {
        let result = Result { try ExtendedAttribute.read(of: node.name, in: directory) }
        readAttributes(of: &node, path) { try result.get() }
    }

    func readAttributes(
        of node: inout Node, _ path: FilePath, from read: () throws -> [ExtendedAttribute]
    ) {
        do {
            let attributes = try read()
            if Node.canHold(attributes) {
                node.attributes = attributes
                return
            }
            report.say(
                .problem(
                    path: path, during: "reading extended attributes",
                    reason: "there are more than a snapshot can hold"))
        } catch {
            report.problem(path, during: "reading extended attributes", error)
        }
        // The next backup must try again, and not take the entry for one that has none.
        node.settled = false
    }

    /// Keeps what the first name of a file gave, so that it is read once.
    func remember(
        _ node: Node, _ status: FileStatus, _ path: FilePath, pending: PendingContent? = nil,
        extents: [Extent]? = nil
    ) {
        guard status.links > 1 else { return }
        linked[FileIdentity(status)] = Linked(
            path: path, node: node, pending: pending, extents: extents, missing: status.links - 1)
    }

    /// Records a further name of a file that was read already; false where this is the first.
    func sendTwin(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, _ sidecars: inout [[UInt8]: String?]
    ) throws -> Bool {
        guard var twin = linked[FileIdentity(status)] else { return false }
        // A number may belong to another file by now; and what changed since is read again. Of a
        // database, capturing it may have moved the times.
        if case .database = twin.node.content {
        } else if twin.node.modified != status.modified || twin.node.changed != status.changed {
            return false
        }
        twin.missing -= 1
        linked[FileIdentity(status)] = twin.missing == 0 ? nil : twin
        if try refuse(name, status, in: directory, path, twin: twin, &sidecars) { return true }
        var node = twin.node
        node.name = name
        count(.unchanged, path, status)
        try send(.entry(node, twin.pending, extents: twin.extents))
        return true
    }

    /// Refuses a further name of a database that has a log of its own under that name; false where
    /// it has none. SQLite knows a log by the name that a program opens the database by, so that
    /// the capture by the first name saw nothing of it.
    private func refuse(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, twin: Linked, _ sidecars: inout [[UInt8]: String?]
    ) throws -> Bool {
        guard case .database = twin.node.content else { return false }
        for suffix in DatabaseSidecar.logSuffixes
        where DatabaseSidecar.isLog(name + suffix, in: directory) {
            let reason =
                "it is another name of \(twin.path), and has a log of its own under this one: "
                + "what \(FilePath(bytes: name + suffix)) holds was not captured; let all programs "
                + "open the database by one name"
            report.say(.problem(path: path, during: "capturing the database", reason: reason))
            try leaveOut(name, status, reason, &sidecars)
            return true
        }
        return false
    }

    /// Records a database that was not saved; nor is what lies beside it.
    func leaveOut(
        _ name: [UInt8], _ status: FileStatus, _ reason: String,
        _ sidecars: inout [[UInt8]: String?]
    ) throws {
        for suffix in DatabaseSidecar.suffixes {
            sidecars[name + suffix] = "belongs to a database that was not saved"
        }
        try sendUnreadable(name, status, reason)
    }

    /// Names the databases that have names which the walk did not see: a log beside one of those
    /// would be unknown here.
    func remarkOnNamesElsewhere() {
        let open = linked.values.filter { twin in
            if case .database = twin.node.content { true } else { false }
        }
        for twin in open.sorted(by: { $0.path < $1.path }) {
            report.say(
                .remark(
                    path: twin.path,
                    "has \(twin.missing) more \(twin.missing == 1 ? "name" : "names") outside of "
                        + "what is backed up; what a program commits by another name is captured "
                        + "once it is checkpointed"))
        }
    }

    func count(_ action: ArchiveNotice.Action, _ path: FilePath, _ status: FileStatus) {
        report.update { counts in
            switch action {
            case .new: counts.newFiles += 1
            case .modified: counts.changedFiles += 1
            case .unchanged: counts.unchangedFiles += 1
            }
            counts.bytes.add(saturating: status.size)
            counts.current = path
        }
        report.say(.item(action, path: path, kind: status.kind, bytes: status.size))
    }
}
