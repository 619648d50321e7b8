extension Program {
    /// Holdfast, whole.
    package static let holdfast = Program(
        .holdfast, version: Version.number,
        runs: [
            InitCommand.description.name: InitCommand.run,
            BackupCommand.description.name: BackupCommand.run,
            WatchCommand.description.name: WatchCommand.run,
            SnapshotsCommand.description.name: SnapshotsCommand.run,
            HistoryCommand.description.name: HistoryCommand.run,
            ListCommand.description.name: ListCommand.run,
            DumpCommand.description.name: DumpCommand.run,
            RestoreCommand.description.name: RestoreCommand.run,
            VerifyCommand.description.name: VerifyCommand.run,
            ForgetCommand.description.name: ForgetCommand.run,
            PruneCommand.description.name: PruneCommand.run,
            UnlockCommand.description.name: UnlockCommand.run,
            ConfigCommand.description.name: ConfigCommand.run,
        ])
}
