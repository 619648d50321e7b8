/// `holdfast backup`.
package enum BackupCommand {
    /// `--dry-run`
    package static let dryRun = OptionDescription(
        "dry-run", short: "n", help: "store nothing, only say what would be done")
    /// `--skip-if-unchanged`
    package static let skipIfUnchanged = OptionDescription(
        "skip-if-unchanged", help: "make no snapshot when nothing changed since the last one")
    /// `--force`
    package static let force = OptionDescription(
        "force", short: "f", help: "read all files again, also those that seem unchanged")
    /// `--no-sqlite`
    package static let noSQLite = OptionDescription(
        "no-sqlite", help: "treat SQLite databases as plain files, which may tear them")
    /// `--compression`
    package static let compression = OptionDescription(
        "compression", form: .value("LEVEL", .words(["fast", "balanced", "max"])),
        help: "how hard to compress", variable: "HOLDFAST_COMPRESSION")

    /// What the command line of `backup` may say.
    package static let description = CommandDescription(
        "backup", group: .backUp,
        summary: "store a snapshot of files and of the databases among them",
        discussion: [
            "What the repository has already is not stored again. A SQLite database found in a "
                + "path is captured in a consistent state while it is in use.",
            "When some sources cannot be read, the snapshot is made without them, each is named, "
                + "and the exit code is 3. Run from cron, success prints nothing.",
            "A PATTERN without a slash matches a name anywhere (*.tmp), one that begins with a "
                + "slash a path from the root (/srv/*/cache), another one the end of a path. *, ? "
                + "and [a-z] stay within a name, ** is any number of directories, and a slash at "
                + "the end means directories only. What matches is left out with all beneath it; "
                + "of several patterns the last one that matches counts, and one that begins with "
                + "! takes back what those before it said. An --exclude-file has one pattern a "
                + "line; empty lines and those that begin with # say nothing.",
        ],
        arguments: [
            ArgumentDescription(
                "PATH", .repeating, .anyPath, help: "a file or directory to back up")
        ],
        options: SnapshotLabels.all + SourceSelection.all + StandardInput.all + [
            compression, skipIfUnchanged, force, noSQLite, dryRun,
        ],
        examples: [
            CommandExample(
                "holdfast backup /srv/accounts", "back up a service, its database included"),
            CommandExample(
                "holdfast backup --tag nightly --exclude '*.tmp' -x /srv /etc",
                "back up two trees of one file system, without temporary files"),
            CommandExample(
                "holdfast backup --stdin-from-command --stdin-filename a.sql -- pg_dump accounts",
                "back up what a command prints, unless the command fails"),
        ])

    /// How the snapshot is labelled.
    package enum SnapshotLabels {
        /// `--tag`
        package static let tag = OptionDescription(
            "tag", form: .value("TAG", .text),
            help: "label the snapshot, with several labels by commas", isRepeatable: true)
        /// `--host`
        package static let host = OptionDescription(
            "host", short: "H", form: .value("NAME", .text),
            help: "the host name to record", variable: "HOLDFAST_HOST")

        static let all = [tag, host]
    }

    /// What of the paths is taken.
    package enum SourceSelection {
        /// `--exclude`
        package static let exclude = OptionDescription(
            "exclude", short: "e", form: .value("PATTERN", .text),
            help: "leave out what matches", isRepeatable: true)
        /// `--exclude-file`
        package static let excludeFile = OptionDescription(
            "exclude-file", form: .value("FILE", .file),
            help: "leave out what matches a pattern of this file, one a line", isRepeatable: true)
        /// `--exclude-caches`
        package static let excludeCaches = OptionDescription(
            "exclude-caches", help: "leave out the content of directories with a CACHEDIR.TAG")
        /// `--exclude-if-present`
        package static let excludeIfPresent = OptionDescription(
            "exclude-if-present", form: .value("NAME", .text),
            help: "leave out the content of directories that hold a file of this name; "
                + "NAME:HEADER asks for a beginning of that file, too",
            isRepeatable: true)
        /// `--one-file-system`
        package static let oneFileSystem = OptionDescription(
            "one-file-system", short: "x", help: "do not enter other file systems")
        /// `--files-from`
        package static let filesFrom = OptionDescription(
            "files-from", form: .value("FILE", .file),
            help: "back up the paths listed in this file, too (- is standard input)",
            isRepeatable: true)

        static let all = [
            exclude, excludeFile, excludeCaches, excludeIfPresent, oneFileSystem, filesFrom,
        ]
    }

    /// What is read in place of paths.
    package enum StandardInput {
        /// `--stdin`
        package static let stdin = OptionDescription(
            "stdin", help: "back up standard input as a file")
        /// `--stdin-filename`
        package static let filename = OptionDescription(
            "stdin-filename", form: .value("NAME", .text),
            help: "the name of that file (default: stdin)")
        /// `--stdin-from-command`
        package static let fromCommand = OptionDescription(
            "stdin-from-command",
            help: "back up what the command after -- prints; nothing is stored if it fails")

        static let all = [stdin, filename, fromCommand]
    }
}
