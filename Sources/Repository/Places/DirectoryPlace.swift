// A repository in a directory:
//
//     config
//     keys/      one file a password
//     packs/     blobs of trees and files
//     segments/  records of streams
//     snapshots/
//     marks/     names of packs that prune will delete
//     leases/    one folder a holder: `lease`, and the files it has not published
//     claims/    SUBJECT/NUMBER-LEASE: which lease has the exclusive right to something
//
// Publishing renames, by path, out of the lease's folder; revoking renames that folder away and
// syncs `leases/` first. So a rename that still succeeds came before the revocation.

import Codec
package import Platform

/// A repository's files in a directory of a disk.
package final class DirectoryPlace: Place {
    let disk: any Disk
    private let root: FilePath
    let randomness: any Randomness

    /// How the name of a control file begins that is not complete yet.
    private static let unfinished = ".new-"

    package init(at root: FilePath, on disk: any Disk, randomness: any Randomness) {
        self.root = root
        self.disk = disk
        self.randomness = randomness
    }

    package var location: String { root.description }

    private var leasesPath: FilePath { root.appending("leases") }
    var claimsPath: FilePath { root.appending("claims") }

    private func path(_ name: ObjectName) -> FilePath {
        root.appending(name.folder.rawValue).appending(name.name)
    }

    func path(_ lease: LeaseID) -> FilePath { leasesPath.appending(lease.name) }

    package func prepare() throws {
        let folders = Folder.allCases.map(\.rawValue) + ["leases", "claims"]
        if try translating({ try self.disk.entry(at: self.root) }) == nil {
            try translating { try self.makeWithParents(self.root) }
        }
        let present = try translating { try self.disk.entries(of: self.root) }.map(\.name)
        try refuseToOverwrite(present, folders)
        for folder in folders where !present.contains(folder) {
            try translating { try self.disk.makeDirectory(self.root.appending(folder)) }
        }
        try disk.syncDirectory(root)
        try disk.syncDirectory(root.parent)
    }

    /// Nothing but the empty folders of an `init` that was interrupted may be there already.
    private func refuseToOverwrite(_ present: [String], _ folders: [String]) throws {
        if present.contains("config") {
            throw RepositoryError(
                .exists, "there is a repository at \(location) already",
                hint: "Use it as it is, or choose another directory.")
        }
        let begun = present.filter { $0.hasPrefix(DirectoryPlace.unfinished) }
        var foreign = present.first { !folders.contains($0) && !begun.contains($0) }
        for folder in Folder.sealed where foreign == nil && present.contains(folder.rawValue) {
            if try !list(folder).isEmpty { foreign = folder.rawValue }
        }
        if let foreign {
            throw RepositoryError(
                .exists, "\(location) is not empty: it holds '\(foreign)'",
                hint: "Choose a new or an empty directory.")
        }
        for name in begun { try disk.remove(root.appending(name)) }
        for key in present.contains("keys") ? try list(.keys) : [] {
            try disk.remove(path(key.name))
        }
    }

    private func makeWithParents(_ path: FilePath) throws {
        if path.parent != path, try disk.entry(at: path.parent) == nil {
            try makeWithParents(path.parent)
        }
        try disk.makeDirectory(path)
        try disk.syncDirectory(path.parent)
    }

    package func readConfig() throws -> [UInt8]? {
        let path = root.appending("config")
        guard let entry = try translating({ try self.disk.entry(at: path) }) else { return nil }
        guard entry.size <= UInt64(ControlFile.sizeLimit) else {
            throw RepositoryError.damage("\(entry.size) bytes long", in: path.description)
        }
        let reader = try translating { try self.disk.open(path) }
        return try reader.readFully(
            at: 0, count: Int(reader.size), of: ObjectName(.keys, "../config"))
    }

    package func createConfig(_ bytes: [UInt8]) throws {
        try write(bytes, to: root.appending("config"), in: root)
    }

    package func list(_ folder: Folder) throws -> [StoredFile] {
        try translating { try self.disk.entries(of: self.root.appending(folder.rawValue)) }
            .filter { $0.kind == .regular && !$0.name.hasPrefix(".") }
            .map { StoredFile(name: ObjectName(folder, $0.name), size: $0.size) }
    }

    package func open(_ name: ObjectName) throws -> any DiskReader {
        do {
            return try translating { try self.disk.open(self.path(name)) }
        } catch let error as SystemError where error.errno == .noSuchFile {
            throw RepositoryError(.absent, "\(name) is missing from \(location)")
        }
    }

    package func create(_ name: ObjectName, _ bytes: [UInt8]) throws {
        try write(bytes, to: path(name), in: root.appending(name.folder.rawValue))
    }

    package func remove(_ names: [ObjectName]) throws {
        for name in names {
            try translating { try self.unlessGone { try self.disk.remove(self.path(name)) } }
        }
        // Also where all are gone already: whoever removed them may not have synced.
        for folder in Set(names.map(\.folder)) { try settle(folder) }
    }

    /// Writes beside, syncs, and moves into place without ever replacing.
    private func write(_ bytes: [UInt8], to path: FilePath, in directory: FilePath) throws {
        let temporary = directory.appending(DirectoryPlace.unfinished + randomness.bytes(8).hex)
        try translating {
            let file = try self.disk.create(temporary)
            try bytes.withUnsafeBytes { try file.write($0) }
            try file.sync()
            try file.close()
        }
        guard try moveExclusively(temporary, to: path) else {
            try disk.remove(temporary)
            throw RepositoryError(.exists, "\(path) exists already")
        }
        try disk.syncDirectory(directory)
    }

    package func leases() throws -> [LeaseID] {
        try translating { try self.disk.entries(of: self.leasesPath) }
            .filter { $0.kind == .directory }
            .compactMap { LeaseID(listed: $0.name) }
    }

    package func read(lease: LeaseID) throws -> [UInt8]? {
        do {
            let reader = try disk.open(path(lease).appending("lease"))
            guard reader.size <= UInt64(LeaseRecord.sizeLimit) else { return [] }
            return try reader.readFully(
                at: 0, count: Int(reader.size), of: ObjectName(.keys, "../leases/\(lease)/lease"))
        } catch let error as SystemError where error.errno == .noSuchFile {
            return nil
        }
    }

    package func begin(lease: LeaseID, _ bytes: [UInt8]) throws {
        let hidden = leasesPath.appending("new-" + lease.name)
        for attempt in 1... {
            do {
                return try translating {
                    try self.disk.makeDirectory(hidden)
                    try self.writeLease(bytes, to: hidden.appending("lease"))
                    try self.disk.rename(hidden, to: self.path(lease))
                }
            } catch let error as SystemError where error.errno == .noSuchFile && attempt < 100 {
                continue  // swept away, see `sweepLeases`; each time costs somebody an `unlock`
            }
        }
    }

    /// Synced, so that a power failure leaves it whole or not at all: nobody could tell of a torn
    /// one that its holder is gone.
    private func writeLease(_ bytes: [UInt8], to path: FilePath) throws {
        let file = try disk.create(path)
        try bytes.withUnsafeBytes { try file.write($0) }
        try file.sync()
        try file.close()
    }

    package func renew(lease: LeaseID, _ bytes: [UInt8]) throws {
        let beside = path(lease).appending("lease-" + randomness.bytes(8).hex)
        do {
            try underLease {
                try self.writeLease(bytes, to: beside)
                try self.disk.rename(beside, to: self.path(lease).appending("lease"))
            }
        } catch {
            // What a full disk left must not pile up; else it goes with the lease's folder.
            do { try disk.remove(beside) } catch { /* it is not there */  }
            throw error
        }
    }

    package func end(lease: LeaseID) throws {
        try underLease { try self.retire(lease) }
    }

    package func revoke(lease: LeaseID) throws {
        let retired = leasesPath.appending("gone-" + lease.name)
        try translating {
            try self.unlessGone { try self.disk.rename(self.path(lease), to: retired) }
            // Also where somebody else has just taken it: it must be durable when this returns.
            try self.disk.syncDirectory(self.leasesPath)
            try self.remove(folder: retired)
        }
    }

    private func retire(_ lease: LeaseID) throws {
        let retired = leasesPath.appending("gone-" + lease.name)
        try disk.rename(path(lease), to: retired)
        try remove(folder: retired)
    }

    /// Removes a retired lease's folder; somebody else may be at it too.
    private func remove(folder: FilePath) throws {
        try unlessGone {
            for entry in try self.disk.entries(of: folder) {
                let path = folder.appending(entry.name)
                if entry.kind == .directory {
                    try self.remove(folder: path)  // of a first claim that did not come through
                } else {
                    try self.unlessGone { try self.disk.remove(path) }
                }
            }
            try self.disk.removeDirectory(folder)
        }
    }

    /// Runs a step that has nothing to do where its file or folder is gone already.
    private func unlessGone(_ step: () throws -> Void) throws {
        do {
            try step()
        } catch let error as SystemError where error.errno == .noSuchFile {
            return
        }
    }

    // A `new-` folder may belong to a process that is beginning its lease right now, and nothing
    // here tells: clocks of hosts differ. So it is not emptied where it stands, or its owner could
    // rename it between two steps of that into a lease that says nothing, which others would take
    // for one that has ended. It is moved out of the way first. Of that rename and the owner's,
    // which is its last step, only one can find the folder: if it is the owner's, the lease is
    // whole and nothing is swept; if it is this one, whatever the owner does next by the folder's
    // path fails, nobody has seen its lease, and it begins anew with an empty folder.
    package func sweepLeases() throws {
        for entry in try disk.entries(of: leasesPath) where entry.kind == .directory {
            let folder = leasesPath.appending(entry.name)
            if entry.name.hasPrefix("gone-") { try remove(folder: folder) }
            guard entry.name.hasPrefix("new-") else { continue }
            let aside = leasesPath.appending("gone-" + randomness.bytes(16).hex)
            try unlessGone { try self.disk.rename(folder, to: aside) }
            try remove(folder: aside)
        }
    }

    package func stage(under lease: LeaseID) throws -> StagedFile {
        let name = "part-" + randomness.bytes(8).hex
        let file = try underLease { try self.disk.create(self.path(lease).appending(name)) }
        return StagedFile(name: name, file: file)
    }

    package func discard(_ staged: String, under lease: LeaseID) throws {
        try translating {
            try self.unlessGone { try self.disk.remove(self.path(lease).appending(staged)) }
        }
    }

    package func publish(_ staged: String, under lease: LeaseID, as name: ObjectName) throws {
        try underLease {
            try self.disk.rename(self.path(lease).appending(staged), to: self.path(name))
        }
    }

    package func settle(_ folder: Folder) throws {
        try translating { try self.disk.syncDirectory(self.root.appending(folder.rawValue)) }
    }

    /// False where the new name is taken.
    private func moveExclusively(_ from: FilePath, to: FilePath) throws(SystemError) -> Bool {
        do {
            try disk.renameExclusively(from, to: to)
            return true
        } catch {
            guard error.errno == .fileExists else { throw error }
            return false
        }
    }

    /// Runs a step that must find the lease's folder; without it the lease was revoked.
    func underLease<R>(_ step: () throws -> R) throws -> R {
        do {
            return try translating(step)
        } catch let error as SystemError where error.errno == .noSuchFile {
            // Without all of `leases/` it is the repository that is away, and not the lease.
            throw try disk.entry(at: leasesPath) == nil ? isAway : isRevoked
        }
    }

    private var isAway: RepositoryError {
        RepositoryError(
            .missing, "there is no repository at \(location) any more",
            hint: "Put it back, or mount what it lies on.")
    }

    var isRevoked: RepositoryError {
        RepositoryError(
            .revoked, "the lease on \(location) was revoked while this process was away",
            hint: "Run the command again; nothing that was finished is lost.")
    }

    /// Gives "read-only" and "not permitted" the words that say what to do.
    func translating<R>(_ step: () throws -> R) throws -> R {
        do {
            return try step()
        } catch let error as SystemError
            where [.readOnlyFileSystem, .permissionDenied, .notPermitted].contains(error.errno)
        {
            throw RepositoryError(
                .readOnly, "no access to the repository \(location)",
                hint: "Check the owner and mode of \(location), and how it is mounted.",
                underlying: error)
        }
    }
}
