// Where a repository can lie. Each kind of place passes the one conformance suite in
// Tests/RepositoryTests/PlaceConformanceTests.swift.
//
// Invariants every place keeps:
// - What is published or created is whole: a name shows all its bytes or is not there.
// - `publish` fails once the lease was revoked, whatever its holder slept through; nothing written
//   under a lease is visible before.
// - After `settle(folder)` returned, all names published in the folder before it survive a crash.
// - A control file is durable when `create` returns, and never overwrites one.
// - What was removed stays away, whatever crash comes, once `remove` returned.

import Codec
package import Platform

/// Identifies one holder of a lease: 32 hexadecimal digits.
package struct LeaseID: Hashable, Sendable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) {
        self.name = name
    }

    package var description: String { name }

    /// The id that no lease has.
    package static let nobody = LeaseID(String(repeating: "0", count: 32))

    /// A lease's name as a listing shows it, or nil where it is none.
    package init?(listed name: String) {
        guard name.utf8.count == 32, name.utf8.allSatisfy({ $0.isHexDigit }) else { return nil }
        self.name = name
    }

    /// A new random id.
    package static func random(_ randomness: any Randomness) -> LeaseID {
        LeaseID(randomness.bytes(16).hex)
    }
}

/// A file that is written under a lease and not visible yet.
package struct StagedFile: Sendable {
    package let name: String
    package let file: any DiskWriter

    package init(name: String, file: any DiskWriter) {
        self.name = name
        self.file = file
    }
}

/// Storage for a repository's files.
package protocol Place: AnyObject, Sendable {
    /// How a person names this place.
    var location: String { get }

    /// Makes the place ready for a new repository; throws `exists` where it holds anything.
    func prepare() throws
    /// The repository's `config`, or nil where there is none.
    func readConfig() throws -> [UInt8]?
    /// Writes `config`, the last step of making a repository.
    func createConfig(_ bytes: [UInt8]) throws

    /// All files of a folder, in no order.
    func list(_ folder: Folder) throws -> [StoredFile]
    /// Opens a file for reading at offsets; throws `absent` where it is not there.
    func open(_ name: ObjectName) throws -> any DiskReader
    /// Makes a small file, durable and whole; throws `exists` where the name is taken.
    func create(_ name: ObjectName, _ bytes: [UInt8]) throws
    /// Removes files, durably; a name that is not there is no error.
    func remove(_ names: [ObjectName]) throws

    /// All leases that are neither ended nor revoked.
    func leases() throws -> [LeaseID]
    /// What the holder wrote last, or nil where the lease is gone.
    func read(lease: LeaseID) throws -> [UInt8]?
    /// Begins a lease.
    func begin(lease: LeaseID, _ bytes: [UInt8]) throws
    /// Replaces what the lease says; throws `revoked` where it is gone.
    func renew(lease: LeaseID, _ bytes: [UInt8]) throws
    /// Ends the holder's own lease; what it staged and did not publish is gone.
    func end(lease: LeaseID) throws
    /// Takes a lease from its holder, durably: from now on nothing is published under it.
    func revoke(lease: LeaseID) throws
    /// Removes what interrupted begins and revocations left.
    func sweepLeases() throws

    /// A new file under the lease, for `publish`.
    func stage(under lease: LeaseID) throws -> StagedFile
    /// Removes a staged file that is given up; one that is not there is no error.
    func discard(_ staged: String, under lease: LeaseID) throws
    /// Makes a synced staged file visible under its name; throws `revoked` where the lease is gone.
    func publish(_ staged: String, under lease: LeaseID, as name: ObjectName) throws
    /// Makes the names published in `folder` durable.
    func settle(_ folder: Folder) throws

    /// Numbered claims on `subject`, highest last, each with the lease that made it.
    func claims(on subject: String) throws -> [(number: UInt64, lease: LeaseID)]
    /// Makes claim `number`; throws `exists` where somebody was first, `revoked` without the lease.
    func claim(_ subject: String, number: UInt64, under lease: LeaseID) throws
    /// Makes the claim behind claim `number` nobody's; throws `exists` where somebody was first.
    func giveUpClaim(_ subject: String, number: UInt64) throws
}

extension Place {
    /// A whole small file, refused where it is larger than `limit` bytes.
    package func read(_ name: ObjectName, limit: Int) throws -> [UInt8] {
        let reader = try open(name)
        guard reader.size <= UInt64(limit) else {
            throw RepositoryError.damage(
                "\(reader.size) bytes, at most \(limit) expected", in: "\(name)")
        }
        return try reader.readFully(at: 0, count: Int(reader.size), of: name)
    }
}

extension DiskReader {
    /// Reads as the disk does; bytes that it cannot give back any more are damage like others.
    func readSome(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, of name: ObjectName
    ) throws -> Int {
        do {
            return try read(into: buffer, at: offset)
        } catch {
            guard error.errno == .inputOutput else { throw error }
            throw RepositoryError.damage("the disk cannot read it: \(error)", in: "\(name)")
        }
    }

    /// Exactly `count` bytes at `offset`; throws `damaged` where the file is shorter.
    func readFully(at offset: UInt64, count: Int, of name: ObjectName) throws -> [UInt8] {
        guard offset <= size, UInt64(count) <= size - offset else {
            throw RepositoryError.damage(
                "ends before byte \(offset + UInt64(count))", in: "\(name)")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBytes { try readSome(into: $0, at: offset, of: name) }
        guard got == count else {
            throw RepositoryError.damage(
                "ends before byte \(offset + UInt64(count))", in: "\(name)")
        }
        return bytes
    }
}

extension UInt8 {
    /// Whether this is the ASCII code of a lower-case hexadecimal digit.
    var isHexDigit: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self) }
}
