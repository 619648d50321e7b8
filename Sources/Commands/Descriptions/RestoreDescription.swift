/// `holdfast restore`.
package enum RestoreCommand {
    /// What happens to a file that is there already.
    package enum Overwrite: String, CaseIterable, Sendable {
        /// It is replaced.
        case always
        /// It is replaced where its size or time, or a database's content, differs.
        case ifChanged = "if-changed"
        /// It is replaced where it is older than the snapshot's.
        case ifNewer = "if-newer"
        /// It stays.
        case never
    }

    /// `--target`
    package static let target = OptionDescription(
        "target", short: "t", form: .value("DIR", .directory),
        help: "put the files beneath this directory (/ puts them where they were)")
    /// `--include`
    package static let include = OptionDescription(
        "include", short: "i", form: .value("PATTERN", .text),
        help: "restore only what matches", isRepeatable: true)
    /// `--exclude`
    package static let exclude = OptionDescription(
        "exclude", short: "e", form: .value("PATTERN", .text),
        help: "leave out what matches", isRepeatable: true)
    /// `--at`
    package static let at = OptionDescription(
        "at", form: .value("TIME", .text),
        help: "the databases as they were at this moment, and the files as last recorded before")
    /// `--position`
    package static let position = OptionDescription(
        "position", form: .value("EPOCH/SEQUENCE", .text),
        help: "a database as it was at this position of its history")
    /// `--branch`
    package static let branch = OptionDescription(
        "branch", form: .value("NAME", .text),
        help: "with --at or --position: in this branch of the history")
    /// `--database`
    package static let database = OptionDescription(
        "database", form: .value("PATH", .file),
        help: "with --at or --position: only this database, no files", isRepeatable: true)
    /// `--service`
    package static let service = OptionDescription(
        "service", form: .value("NAME", .text),
        help: "with --at or --position: the databases and trees of this service of the "
            + "configuration")
    /// `--overwrite`
    package static let overwrite = OptionDescription(
        "overwrite",
        form: .value("WHEN", .words(Overwrite.allCases.map(\.rawValue))),
        help: "when to replace a file or database that is there already (default: always)")
    /// `--delete`
    package static let delete = OptionDescription(
        "delete",
        help:
            "delete what the restored directories hold and the snapshot does not; a repository or "
            + "its cache that lies there stays")
    /// `--verify`
    package static let verify = OptionDescription(
        "verify", help: "read the restored files again and compare them")
    /// `--dry-run`
    package static let dryRun = OptionDescription(
        "dry-run", short: "n", help: "write nothing, only say what would be done")
    /// `--numeric-ids`
    package static let numericIDs = OptionDescription(
        "numeric-ids",
        help: "give owners by number, also where this host knows the recorded name")

    /// What the command line of `restore` may say.
    package static let description = CommandDescription(
        "restore", group: .goBack,
        summary: "bring files and databases back from a snapshot",
        discussion: [
            "Nothing is written outside the target, whatever symbolic links lie in it. A database "
                + "that is in use is replaced through SQLite, in one transaction.",
            "Files go to the user and group of the recorded name where this host has one, else to "
                + "the recorded number.",
            "A PATTERN counts from the top of what is restored, which SNAPSHOT:/PATH names; how "
                + "one is written says 'holdfast help backup'.",
            "With --at, each database becomes what it was at that moment, to the commit; the "
                + "answer says which commit was given and when the next one was. Times are RFC "
                + "3339, local 'YYYY-MM-DD HH:MM:SS[.fff]', or -15m. Where it is not certain which "
                + "state was there, the nearest on both sides are named and nothing is restored.",
            "With --target / a database goes on in its place, in an epoch of its own: what was "
                + "there before can still be gone back to. A watch that records it is asked, and "
                + "need not be stopped.",
        ],
        arguments: [
            ArgumentDescription(
                "SNAPSHOT", .optional, help: SnapshotArgument.help + " (default: latest)")
        ],
        options: [
            target, at, position, database, service, branch, include, exclude, overwrite, delete,
            verify,
            dryRun, numericIDs,
        ] + LatestFilter.all,
        examples: [
            CommandExample(
                "holdfast restore latest --target /tmp/restored",
                "restore the last snapshot into a directory of its own"),
            CommandExample(
                "holdfast restore latest:/srv/accounts --target /srv/accounts --delete",
                "make a directory again what it was"),
            CommandExample(
                "holdfast restore --at -15m --target /tmp/restored",
                "restore databases and files as they were a quarter of an hour ago"),
            CommandExample(
                "holdfast restore --position 1/900 --database /srv/accounts/accounts.db --target /",
                "put one database back in its place as it was at a position"),
            CommandExample(
                "holdfast restore --at -15m --service accounts --target /",
                "put all of a service back in its place"),
            CommandExample(
                "holdfast restore 40dc1520 --target / --include /etc/nginx --dry-run",
                "see what putting a directory back in its place would change"),
        ])
}
