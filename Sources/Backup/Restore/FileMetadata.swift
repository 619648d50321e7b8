import Platform
import Repository

/// Gives restored entries owner, mode, attributes and times; reports what could not be set.
struct FileMetadata: Sendable {
    let report: RestoreReport
    private let owners: RestoreRequest.Owners
    private let accounts = AccountNames()

    init(report: RestoreReport, owners: RestoreRequest.Owners) {
        self.report = report
        self.owners = owners
    }

    /// Applies a node's metadata to the entry `name`. Attributes come before the mode, which may
    /// forbid to write them; times come last, since the others touch them.
    func apply(_ node: Node, to name: [UInt8], in directory: TargetDirectory) {
        // "." is the target itself, which need not be called what the node is.
        let path =
            name == [UInt8(ascii: ".")] ? directory.path : directory.path.appending(node.name)
        let owner = owner(of: node)
        attempt("setting the owner", path) {
            guard let now = try directory.status(name), needs(owner, now) else { return }
            try setOwner(owner, now, path) {
                try FileTree.setOwner(name, in: directory.descriptor, userID: $0, groupID: $1)
            }
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
                let now = isPrivileged(node) ? try directory.status(name) : nil
                try FileTree.setPermissions(
                    name, in: directory.descriptor, permissions(of: node, ownedBy: owner, now))
            }
        }
        attempt("setting the time", path) {
            try FileTree.setTimes(name, in: directory.descriptor, modified: node.modified)
        }
    }

    /// Applies a node's metadata to a file that is open, by the same rules in the same order.
    func apply(_ node: Node, to file: borrowing Descriptor, at path: FilePath) {
        let owner = owner(of: node)
        attempt("setting the owner", path) {
            let now = try file.status()
            guard needs(owner, now) else { return }
            try setOwner(owner, now, path) { try file.setOwner(userID: $0, groupID: $1) }
        }
        if !node.attributes.isEmpty {
            attempt("setting extended attributes", path) {
                for attribute in node.attributes { try attribute.write(to: file) }
            }
        }
        attempt("setting the mode", path) {
            let now = isPrivileged(node) ? try file.status() : nil
            try file.setPermissions(permissions(of: node, ownedBy: owner, now))
        }
        attempt("setting the time", path) { try file.setTimes(modified: node.modified) }
    }

    private struct Owner {
        let userID: UInt32
        let groupID: UInt32

        func has(_ status: FileStatus) -> Bool {
            status.userID == userID && status.groupID == groupID
        }
    }

    /// The owner by name where this host knows the name: on another host the same user may have
    /// another number. By number otherwise.
    private func owner(of node: Node) -> Owner {
        guard owners == .named else { return Owner(userID: node.userID, groupID: node.groupID) }
        let user = node.userName.isEmpty ? nil : accounts.userID(named: node.userName)
        let group = node.groupName.isEmpty ? nil : accounts.groupID(named: node.groupName)
        return Owner(userID: user ?? node.userID, groupID: group ?? node.groupID)
    }

    /// Without privilege only the own id can be kept; then nothing needs setting.
    private func needs(_ owner: Owner, _ now: FileStatus) -> Bool {
        owners != .untouched && !owner.has(now)
    }

    private func setOwner(
        _ owner: Owner, _ now: FileStatus, _ path: FilePath,
        _ set: (_ userID: UInt32, _ groupID: UInt32) throws -> Void
    ) throws {
        do {
            try set(owner.userID, owner.groupID)
        } catch let error as SystemError where error.errno == .notPermitted {
            report.ownerDenied(path, error)
            // Only root gives a file away, but its owner may give it to a group of theirs.
            guard now.userID != owner.userID, now.groupID != owner.groupID else { return }
            do {
                try set(FileTree.sameID, owner.groupID)
            } catch let error as SystemError where error.errno == .notPermitted {
                return  // not a group of theirs; that the owner is another one was reported
            }
        }
    }

    /// Whether a node's mode lends somebody's rights to whoever runs the file.
    private func isPrivileged(_ node: Node) -> Bool {
        node.kind == .regular && node.permissions & 0o6000 != 0
    }

    /// A node's mode; a file that could not get its owner must not run with the rights of whoever
    /// restored it.
    private func permissions(
        of node: Node, ownedBy owner: Owner, _ now: FileStatus?
    ) -> UInt32 {
        guard isPrivileged(node) else { return node.permissions }
        let isOwned = owners != .untouched && now.map(owner.has) == true
        return isOwned ? node.permissions : node.permissions & 0o1777
    }

    private func attempt(_ during: String, _ path: FilePath, _ step: () throws -> Void) {
        do {
            try step()
        } catch {
            // No room here may be a limit on attributes, not a full disk.
            report.say(.problem(path: path, during: during, reason: error.reason(at: path)))
        }
    }
}
