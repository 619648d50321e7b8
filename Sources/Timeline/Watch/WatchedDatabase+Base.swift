// Complete bases of a database that is followed: when one is worth its while, and how one takes the
// place of the chain of commits without a moment in which nobody holds the database.

import Platform
import Repository

extension WatchedDatabase {
    /// Records a complete base of a state that was captured commit by commit, so that no restore
    /// has too much to go through.
    func rebase(_ follower: DatabaseFollower) throws {
        // Not at once again where it fails: everything is captured as it is.
        bytesSinceBase /= 2
        let lease = try access.leaseForStoring()
        let reader = try DatabaseReader(opening: path, busyTimeoutMilliseconds: 500)
        let store = BlobStore(access.repository, lease: lease, level: settings.compression)
        var mayHaveMoved = false
        let looked = access.repository.world.moment
        do {
            try reader.hold()
            try follower.catchUp(to: reader.viewOfHeldState()) { try keep($0, of: follower) }
            if let journal { try sealing.seal(journal) }
            let recorder = try DatabaseRecorder(
                in: access.repository, under: lease, store: store, host: settings.host,
                scratch: settings.directory, patience: 0, progress: progress)
            try claim(with: recorder)
            let captured = try recorder.captureBase(path, with: reader, heldSince: looked)
            _ = try store.finish()
            mayHaveMoved = true
            try recorder.publish()
            try follow(reader, from: captured, since: looked, after: nil)
        } catch {
            store.cancel(because: error)
            reader.letGo()
            reader.closeUntouched()
            // The stream may end with the base now, and what the old follower has continues
            // another record.
            if mayHaveMoved { stopFollowing(leavingLog: true) }
            throw error
        }
        follower.end(leavingLog: true)
        if hurt != nil { (hurt, mendedAt) = (nil, clock.bootTime()) }
    }

    func wantsBase(_ follower: DatabaseFollower) -> Bool {
        hurt != nil || bytesSinceBase > max(WatchedDatabase.baseBytes, follower.databaseBytes)
    }

    /// What is recorded from now on is not to build on a state that does not restore.
    func note(hurt state: Position, _ now: UInt64) {
        let isMended = mendedAt.map { now - $0 < WatchedDatabase.mendingPause } ?? false
        if !isMended { hurt = state }
    }
}
