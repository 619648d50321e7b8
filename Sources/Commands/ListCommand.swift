import Backup
import Platform
import Repository

extension ListCommand {
    /// Lists what a snapshot holds.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let latest = try LatestChoice(parsed)
        return try Session.run(context, purpose: "ls", writes: false) { session in
            let choice = try latest.choose(parsed.arguments[0], in: session, context)
            let listing = Listing(context, long: parsed.has(long))
            let browser = SnapshotBrowser(session.repository)
            let paths = try parsed.arguments.dropFirst().map {
                try FilePath(bytes: choice.path.bytes + [UInt8(ascii: "/")] + $0).absolute()
            }
            // Without a path, all of it; with paths, one level, as people know from ls.
            let deep = paths.isEmpty || parsed.has(recursive)
            for path in paths.isEmpty ? [choice.path] : paths {
                try list(path, deep, choice.snapshot, browser, listing)
            }
            return .done
        }
    }

    private static func list(
        _ path: FilePath, _ deep: Bool, _ snapshot: StoredSnapshot, _ browser: SnapshotBrowser,
        _ listing: Listing
    ) throws {
        let node = try browser.node(at: path, in: snapshot)
        if let node { listing.show(node, path) }
        try browser.walk(node?.runs ?? snapshot.snapshot.root, at: path) { node, path in
            listing.show(node, path)
            return deep
        }
    }
}

/// Prints nodes as `ls` does.
private struct Listing {
    private let context: CommandContext
    private let long: Bool

    init(_ context: CommandContext, long: Bool) {
        self.context = context
        self.long = long
    }

    func show(_ node: Node, _ path: FilePath) {
        context.report.answer(json(node, path))
        let name = PathText.shown(path.bytes)
        guard long else { return context.report.answer(name) }
        let size = String(node.kind == .regular ? node.size : 0)
        let columns = [
            mode(of: node), owner(node.userName, node.userID), owner(node.groupName, node.groupID),
            String(repeating: " ", count: max(0, 12 - size.count)) + size,
            TimeText.shown(node.modified, in: context.zone), name + ending(of: node),
        ]
        context.report.answer(columns.joined(separator: " "))
    }

    private func owner(_ name: String, _ id: UInt32) -> String {
        let text = name.isEmpty ? String(id) : name
        return text + String(repeating: " ", count: max(0, 8 - text.count))
    }

    private func ending(of node: Node) -> String {
        switch node.content {
        case .link(let target): " -> " + PathText.shown(target)
        case .database(let reference): " (database at \(reference.position))"
        case .unreadable(let reason): " (not saved: \(PathText.firstLine(of: reason)))"
        default: ""
        }
    }

    private func mode(of node: Node) -> String {
        let kinds: [FileKind: Character] = [
            .regular: "-", .directory: "d", .symbolicLink: "l", .fifo: "p", .socket: "s",
            .characterDevice: "c", .blockDevice: "b",
        ]
        var text = String(kinds[node.kind] ?? "?")
        for (shift, special, letter) in [(6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")] {
            let bits = Int(node.permissions) >> shift
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            let executes = bits & 1 != 0
            let isSpecial = Int(node.permissions) & special != 0
            text += isSpecial ? (executes ? letter : letter.uppercased()) : executes ? "x" : "-"
        }
        return text
    }

    private func json(_ node: Node, _ path: FilePath) -> JSONLine {
        var line = JSONLine("node")
        line.add("name", path: path.lastComponent)
        line.add("type", node.kind.resticName)
        line.add("path", path: path.bytes)
        line.add("uid", UInt64(node.userID))
        line.add("gid", UInt64(node.groupID))
        line.add("user", node.userName)
        line.add("group", node.groupName)
        line.add("size", node.kind == .regular ? node.size : 0)
        line.add("permissions", mode(of: node))
        line.add("mode", UInt64(node.permissions))
        line.add("mtime", TimeText.rfc3339(node.modified, in: context.zone))
        line.add("inode", node.inode)
        switch node.content {
        case .link(let target): line.add("linktarget", path: target)
        case .database(let reference): line.add("position", "\(reference.position)")
        case .unreadable(let reason): line.add("unreadable", reason)
        default: break
        }
        return line
    }
}

extension FileKind {
    /// As restic's `ls --json` names it.
    fileprivate var resticName: String {
        switch self {
        case .regular: "file"
        case .directory: "dir"
        case .symbolicLink: "symlink"
        case .fifo: "fifo"
        case .socket: "socket"
        case .characterDevice: "chardev"
        case .blockDevice: "dev"
        }
    }
}
