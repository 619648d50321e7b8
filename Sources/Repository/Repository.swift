// A repository, opened: its place, its keys, and the catalogue of what lies there.
//
// The order that keeps readers and prune apart: take a lease, read the marks, list the packs with
// their sizes, drop from the catalogue what is gone or shorter. Writers do not build on a blob
// whose only copy lies in a marked pack. Snapshots are listed before anything they point to.

package import Codec
package import Platform
import Synchronization

/// An opened repository; safe for use by several threads.
package final class Repository: Sendable {
    package let place: any Place
    package let keys: RepositoryKeys
    package let identity: String
    package let catalogue: Catalogue
    package let world: World
    private let state = Mutex(State())
    /// One thread at a time lists packs.
    private let listing = Mutex(())

    private struct State {
        var packs: [Int64: CataloguedPack] = [:]
        var marked: Set<Int64> = []
        var marks: Set<String> = []
        var open: [Int64: PackReader] = [:]
        var distrusted: Set<BlobID> = []
        /// How often the packs were listed, and when last, in BOOTTIME.
        var listing = 0
        var listedAt: UInt64 = 0
        /// Whether snapshots were listed since: they may name packs that were not there yet.
        var mayMissPacks = false
    }

    /// Packs whose descriptors stay open at a time.
    private static let openLimit = 48
    /// Nanoseconds for which a listing tells that a blob which no pack has is lost.
    private static let listingLife: UInt64 = 10_000_000_000

    /// Finds the repository at a place and opens it with a password.
    ///
    /// - Parameter cacheDirectory: where the catalogue lies, in a folder of the repository's id.
    package init(
        at place: any Place, password: [UInt8], cacheDirectory: FilePath, world: World
    ) throws {
        let identity = try RepositoryConfig.read(from: place)
        self.place = place
        self.identity = identity
        self.world = world
        keys = try Repository.unlock(place, identity, password)
        let cache = cacheDirectory.appending(identity)
        try Repository.makeCache(cache)
        catalogue = try Catalogue(at: cache.appending("catalogue.db"), repository: identity)
    }

    private static func unlock(
        _ place: any Place, _ identity: String, _ password: [UInt8]
    ) throws -> RepositoryKeys {
        let files = try place.list(.keys).sorted { $0.name < $1.name }
        guard !files.isEmpty else {
            throw RepositoryError.damage("no key file is left", in: "keys")
        }
        var failure: (any Error)?
        for file in files {
            do {
                let bytes = try place.read(file.name, limit: ControlFile.sizeLimit)
                let keys = try KeyFile.unwrap(
                    bytes, for: identity, password: password, location: "\(file.name)")
                if let keys { return keys }
            } catch let error as RepositoryError {
                failure = error  // one damaged key file must not lock out the other passwords
            }
        }
        throw failure
            ?? RepositoryError(
                .wrongPassword, "wrong password for \(place.location)",
                hint: "Give the password the repository was made with"
                    + " (--password-file, --password-command or HOLDFAST_PASSWORD).")
    }

    private static func makeCache(_ path: FilePath) throws {
        let disk = LinuxDisk()
        guard try disk.entry(at: path) == nil, path.parent != path else { return }
        try makeCache(path.parent)
        do {
            try disk.makeDirectory(path)
        } catch {
            // Another process may have been first.
            guard error.errno == .fileExists else { throw error }
        }
    }

    /// What tells dead leases from live ones here.
    package var observer: LeaseObserver {
        LeaseObserver(
            catalogue: catalogue, clock: world.clock, process: world.process, host: world.host,
            namespace: world.namespace)
    }

    /// Brings the catalogue in line with what lies in the place; called under a lease.
    ///
    /// - Returns: what was found hurt: packs whose index is lost, with the reason.
    @discardableResult
    package func refresh() throws -> [(pack: ObjectName, reason: any Error)] {
        try listing.withLock { _ in try list() }
    }

    private func list() throws -> [(pack: ObjectName, reason: any Error)] {
        do {
            return try fillCatalogue()
        } catch is CatalogueLost {
            return try fillCatalogue()
        }
    }

    /// Notes that snapshots are about to be listed.
    func expectNewPacks() {
        state.withLock { $0.mayMissPacks = true }
    }

    /// The number of the listing that what is known of packs goes back to.
    package var listingNumber: Int { state.withLock { $0.listing } }

    /// Lists the packs again for a reader that found one gone; prune, or another process that
    /// shares the catalogue, may have moved what was in it.
    ///
    /// - Parameters:
    ///   - number: the listing that the reader relied on; a newer one is not made again.
    ///   - vanished: whether a pack was gone. Else a blob was in no pack, and a listing that is
    ///     young, and was made after that of the snapshots, is believed: or each blob that a hurt
    ///     repository has lost would cost another one.
    /// - Returns: whether it is worth to look again.
    package func listAgain(after number: Int, vanished: Bool) throws -> Bool {
        try listing.withLock { _ in
            let (current, isOld) = state.withLock { state in
                let age = world.clock.bootTime() &- state.listedAt
                return (state.listing, state.mayMissPacks || age >= Repository.listingLife)
            }
            guard current == number else { return true }
            guard vanished || isOld else { return false }
            _ = try list()
            return true
        }
    }

    private func fillCatalogue() throws -> [(pack: ObjectName, reason: any Error)] {
        // Known before they are listed: what is published meanwhile is not taken for gone.
        let known = try catalogue.packs()
        let marks = Set(try place.list(.marks).map(\.name.name))
        let listed = try place.list(.packs).filter { $0.name.isSealedName }
        let sizes = Dictionary(
            listed.map { ($0.name.name, $0.size) }, uniquingKeysWith: { first, _ in first })
        let gone = known.filter { sizes[$0.name] != $0.size }
        try catalogue.remove(packs: gone.map(\.number))
        let kept = Set(known.map(\.name)).subtracting(gone.map(\.name))
        var hurt: [(pack: ObjectName, reason: any Error)] = []
        for file in listed where !kept.contains(file.name.name) {
            do {
                try catalogue(file)
            } catch let error as RepositoryError where error.code == .damaged {
                hurt.append((file.name, error))
            } catch let error as RepositoryError where error.code == .absent {
                continue  // it has gone since it was listed
            }
        }
        let packs = try catalogue.packs()
        state.withLock { state in
            state.packs = Dictionary(uniqueKeysWithValues: packs.map { ($0.number, $0) })
            state.marks = marks
            state.marked = Set(packs.filter { marks.contains($0.name) }.map(\.number))
            // A catalogue that was lost and made anew counts its packs from the beginning.
            state.open = state.open.filter { state.packs[$0.key]?.name == $0.value.name.name }
            state.listing += 1
            state.listedAt = world.clock.bootTime()
            state.mayMissPacks = false
        }
        return hurt
    }

    /// Adds a pack's blobs to the catalogue, by its index or, where that is lost, by a scan.
    private func catalogue(_ file: StoredFile) throws {
        let reader = try PackReader(file.name, in: place)
        let cipher = keys.packCipher(salt: reader.salt)
        do {
            let entries = try reader.index(with: cipher)
            try catalogue.add(pack: file.name.name, size: file.size, entries: entries)
        } catch let error as RepositoryError where error.code == .damaged {
            let entries = try reader.scan(with: cipher)
            try catalogue.add(pack: file.name.name, size: file.size, entries: entries)
            throw error
        }
    }

    /// Names of the files that are marked, as the last refresh found them.
    package var marks: Set<String> { state.withLock { $0.marks } }

    /// The packs that the last refresh found, and those this process published since.
    var listedPacks: [CataloguedPack] { state.withLock { Array($0.packs.values) } }

    /// Notes a pack this process published.
    package func add(_ pack: FinishedPack) throws {
        let number = try catalogue.add(
            pack: pack.name.name, size: pack.size, entries: pack.entries)
        state.withLock {
            $0.packs[number] = CataloguedPack(number: number, name: pack.name.name, size: pack.size)
        }
    }

    /// Where a blob lies, copies in packs that prune has marked last.
    package func locations(of id: BlobID) throws -> [BlobLocation] {
        let found = try catalogue.locations(of: id)
        guard found.count > 1 else { return found }
        let marked = state.withLock { $0.marked }
        return found.filter { !marked.contains($0.pack) }
            + found.filter { marked.contains($0.pack) }
    }

    /// Whether a writer may build on a blob that is stored already.
    package func holds(_ id: BlobID) throws -> Bool {
        let found = try catalogue.locations(of: id)
        guard !found.isEmpty else { return false }
        return state.withLock { state in
            !state.distrusted.contains(id)
                && found.contains {
                    state.packs[$0.pack] != nil && !state.marked.contains($0.pack)
                }
        }
    }

    /// Whether a writer may build on all blobs of a snapshot without looking for each.
    package func trusts(_ snapshot: Digest) throws -> Bool {
        guard state.withLock({ $0.marked.isEmpty }) else { return false }
        return try catalogue.knowsWhole(snapshot)
    }

    /// Notes a blob of which a copy was read and is damaged: a writer that has its content stores
    /// it again.
    package func distrust(_ id: BlobID) {
        state.withLock { _ = $0.distrusted.insert(id) }
    }

    /// The name of a catalogued pack; nil where it was not there when packs were listed.
    package func name(ofPack number: Int64) -> String? {
        state.withLock { $0.packs[number]?.name }
    }

    /// A reader of a catalogued pack; the ones used last stay open. Throws `absent` where the pack
    /// is gone: ``BlobOpener`` then lists again.
    package func pack(_ number: Int64) throws -> PackReader {
        let (open, pack) = state.withLock { ($0.open[number], $0.packs[number]) }
        if let open { return open }
        guard let pack else {
            throw RepositoryError(.absent, "\(place.location): a pack that was not listed")
        }
        let reader = try PackReader(ObjectName(.packs, pack.name), in: place)
        state.withLock { state in
            if state.open.count >= Repository.openLimit, let any = state.open.keys.first {
                state.open[any] = nil
            }
            state.open[number] = reader
        }
        return reader
    }
}

extension ObjectName {
    /// Whether this can be the name of a sealed file: 64 lower-case hexadecimal digits.
    package var isSealedName: Bool {
        name.utf8.count == 64 && name.utf8.allSatisfy(\.isHexDigit)
    }
}
