// The journal of a database under watch. What is hurt in it must not end the recording: what is
// whole before it is sealed, the rest is set aside under another name, and a comparison follows.

import Codec
import Platform
import Repository

extension WatchedDatabase {
    /// - Parameter known: damage that was found while the journal was open.
    func open(_ identity: StreamIdentity, knowing known: JournalError? = nil) throws {
        guard journal == nil else { return }
        let opened = try Journal(
            in: settings.directory.appending(identity.stream.hex), of: identity, on: LinuxDisk(),
            setsAsideDamage: true, known: known)
        sealing.add(opened, of: path, settings)
        journal = opened
        if let loss = opened.loss { report(.journalHurt(path, loss)) }
    }

    var markPath: FilePath {
        guard let journal else { return settings.directory.appending("no-journal.mark") }
        return settings.directory.appending(journal.identity.stream.hex + ".mark")
    }

    /// Seals the journal before the stream's end is read; what can never be sealed is set aside.
    func sealWhatIsWhole() throws {
        guard let identity = journal?.identity else { return }
        do {
            try sealWhatContinues()
        } catch let error as JournalError where error.code == .damaged {
            // It was whole when it was opened.
            forgetJournal()
            try open(identity, knowing: error)
            try sealWhatContinues()
        }
    }

    private func sealWhatContinues() throws {
        guard let journal else { return }
        do {
            try sealing.seal(journal)
        } catch let error as JournalError where error.code == .detached {
            report(.journalHurt(path, try sealing.setAside(journal, because: error)))
        }
    }

    private func forgetJournal() {
        if let journal { sealing.forget(journal) }
        (journal, mark) = (nil, nil)
    }

    /// What the sealing thread found out since the last time: where the journal cannot be sealed
    /// any more, recording begins anew.
    func takeNews() -> SealingNews {
        journal.flatMap { sealing.takeNews(of: $0) } ?? SealingNews()
    }
}
