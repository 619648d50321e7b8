// Exclusive rights in a directory: one file a subject, named after its number and its lease.
//
// The first claim arrives with its folder, in one rename; each further one renames the last.

import Codec
import Platform

extension DirectoryPlace {
    package func claims(on subject: String) throws -> [(number: UInt64, lease: LeaseID)] {
        try claimNames(on: subject).map { ($0.number, $0.lease) }
    }

    /// The claim on a subject, if any. A listing made while it is renamed may show both names, or
    /// neither: then another look is taken.
    private func claimNames(on subject: String) throws -> [ClaimName] {
        var names: [ClaimName] = []
        for _ in 0..<5 where names.isEmpty {
            do {
                names = try translating {
                    try self.disk.entries(of: self.claimsPath.appending(subject))
                }.compactMap { ClaimName(listed: $0.name) }
            } catch let error as SystemError where error.errno == .noSuchFile {
                return []
            }
        }
        return names.sorted { $0.number < $1.number }
    }

    package func claim(_ subject: String, number: UInt64, under lease: LeaseID) throws {
        let folder = claimsPath.appending(subject)
        let name = ClaimName(number, lease).text
        guard try read(lease: lease) != nil else { throw isRevoked }
        if number == 1 {
            try claimFirst(subject, name, under: lease)
        } else {
            try renameLast(of: subject, to: ClaimName(number, lease))
        }
        try translating { try self.disk.syncDirectory(folder) }
    }

    /// Nobody's claim is one of a lease that is not there: whoever wants it takes the next number.
    package func giveUpClaim(_ subject: String, number: UInt64) throws {
        try renameLast(of: subject, to: ClaimName(number + 1, .nobody))
        try translating { try self.disk.syncDirectory(self.claimsPath.appending(subject)) }
    }

    /// Consumes the name of the claim before: it bears a lease's id and never comes back, so that
    /// whoever listed it, slept, and comes too late finds nothing to rename.
    private func renameLast(of subject: String, to name: ClaimName) throws {
        let folder = claimsPath.appending(subject)
        let last = try claimNames(on: subject).last
        guard let last, last.number == name.number - 1 else { throw isTaken(subject, name.number) }
        do {
            try translating {
                try self.disk.rename(folder.appending(last.text), to: folder.appending(name.text))
            }
        } catch let error as SystemError where error.errno == .noSuchFile {
            throw isTaken(subject, name.number)
        }
    }

    /// Moves the subject's folder with its first claim into place; only an empty one gives way.
    private func claimFirst(_ subject: String, _ name: String, under lease: LeaseID) throws {
        let staged = path(lease).appending("claim-" + randomness.bytes(8).hex)
        do {
            try underLease {
                try self.disk.makeDirectory(staged)
                let file = try self.disk.create(staged.appending(name))
                try file.sync()
                try file.close()
                try self.disk.syncDirectory(staged)
                try self.disk.rename(staged, to: self.claimsPath.appending(subject))
            }
        } catch let error as SystemError
            where error.errno == .directoryNotEmpty || error.errno == .fileExists
        {
            throw isTaken(subject, 1)
        }
        try translating { try self.disk.syncDirectory(self.claimsPath) }
    }

    private func isTaken(_ subject: String, _ number: UInt64) -> RepositoryError {
        RepositoryError(.exists, "claim \(number) on \(subject) is taken")
    }
}

/// How a claim is named.
private struct ClaimName {
    let number: UInt64
    let lease: LeaseID

    init(_ number: UInt64, _ lease: LeaseID) {
        self.number = number
        self.lease = lease
    }

    init?(listed name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = UInt64(parts[0]),
            let lease = LeaseID(listed: String(parts[1]))
        else { return nil }
        self.init(number, lease)
    }

    var text: String { "\(number)-\(lease)" }
}
