/// `holdfast init`.
package enum InitCommand {
    /// What the command line of `init` may say.
    package static let description = CommandDescription(
        "init", group: .backUp,
        summary: "make a repository",
        discussion: [
            "The repository is a directory that does not exist yet, or is empty. All that is "
                + "stored there is encrypted. Keep the password apart from the repository: without "
                + "it nobody can read the backups, you included."
        ],
        examples: [
            CommandExample(
                "holdfast init --repo /srv/backup --password-file /etc/holdfast/password",
                "make a repository whose password is in a file"),
            CommandExample(
                "holdfast -r /srv/backup init", "make one, and be asked for the password"),
        ])
}
