import Glibc
import Platform
import Repository

/// Gives restored entries owner, mode, attributes and times; reports what could not be set.
struct FileMetadata: Sendable {
    let report: RestoreReport
    private let userID = geteuid()

    init(report: RestoreReport) {
        self.report = report
    }

    /// Applies a node's metadata to the entry `name`. Attributes come before the mode, which may
    /// forbid to write them; times come last, since the others touch them.
    func apply(_ node: Node, to name: [UInt8], in directory: TargetDirectory) {
        let path = directory.path.appending(node.name)
        attempt("setting the owner", path) {
            // Without privilege only the own id can be kept; then nothing needs setting.
            guard let now = try directory.status(name),
                now.userID != node.userID || now.groupID != node.groupID
            else { return }
            try FileTree.setOwner(
                name, in: directory.descriptor, userID: node.userID, groupID: node.groupID)
        }
        if !node.attributes.isEmpty {
            attempt("setting extended attributes", path) {
                for attribute in node.attributes {
                    try attribute.write(to: name, in: directory.descriptor)
                }
            }
        }
        if node.kind != .symbolicLink {
            attempt("setting the mode", path) {
                try FileTree.setPermissions(
                    name, in: directory.descriptor, try permissions(of: node, name, directory))
            }
        }
        attempt("setting the time", path) {
            try FileTree.setTimes(name, in: directory.descriptor, modified: node.modified)
        }
    }

    /// Applies a node's metadata to a file that is open, by the same rules in the same order.
    func apply(_ node: Node, to file: borrowing Descriptor, at path: FilePath) {
        var now: FileStatus?
        attempt("setting the owner", path) {
            now = try file.status()
            guard now?.userID != node.userID || now?.groupID != node.groupID else { return }
            try file.setOwner(userID: node.userID, groupID: node.groupID)
            now = try file.status()
        }
        if !node.attributes.isEmpty {
            attempt("setting extended attributes", path) {
                for attribute in node.attributes { try attribute.write(to: file) }
            }
        }
        attempt("setting the mode", path) {
            try file.setPermissions(permissions(of: node, now))
        }
        attempt("setting the time", path) { try file.setTimes(modified: node.modified) }
    }

    private func permissions(
        of node: Node, _ name: [UInt8], _ directory: TargetDirectory
    ) throws -> UInt32 {
        let isPrivileged = node.kind == .regular && node.permissions & 0o6000 != 0
        return permissions(of: node, isPrivileged ? try directory.status(name) : nil)
    }

    /// A node's mode; a file that could not get its owner must not run with the rights of whoever
    /// restored it.
    private func permissions(of node: Node, _ now: FileStatus?) -> UInt32 {
        guard node.kind == .regular, node.permissions & 0o6000 != 0 else { return node.permissions }
        let isOwned = now?.userID == node.userID && now?.groupID == node.groupID
        return isOwned ? node.permissions : node.permissions & 0o1777
    }

    private func attempt(_ during: String, _ path: FilePath, _ step: () throws -> Void) {
        do {
            try step()
        } catch {
            report.problem(path, during: during, error)
        }
    }
}
