extension ProgramDescription {
    /// Holdfast: its commands in the order of help.
    package static let holdfast = ProgramDescription(
        summary: "backs up a service's databases and files, and brings them back",
        commands: [
            InitCommand.description,
            BackupCommand.description,
            WatchCommand.description,
            SnapshotsCommand.description,
            HistoryCommand.description,
            ListCommand.description,
            DumpCommand.description,
            RestoreCommand.description,
            VerifyCommand.description,
            ForgetCommand.description,
            PruneCommand.description,
            UnlockCommand.description,
            ConfigCommand.description,
            CompletionCommand.description,
            HelpCommand.description,
        ],
        globalOptions: GlobalOptions.all)
}
