/// `holdfast completion`, which `Program` answers itself.
package enum CompletionCommand {
    /// What the command line of `completion` may say.
    package static let description = CommandDescription(
        "completion", group: .upkeep,
        summary: "print the script by which a shell completes holdfast's command lines",
        arguments: [
            ArgumentDescription(
                "SHELL", .required, .words(CompletionShell.allCases.map(\.rawValue)),
                help: "bash, zsh or fish")
        ],
        examples: [
            CommandExample(
                "source <(holdfast completion bash)", "complete in this bash"),
            CommandExample(
                "holdfast completion zsh > /usr/local/share/zsh/site-functions/_holdfast",
                "complete in every new zsh"),
            CommandExample(
                "holdfast completion fish > ~/.config/fish/completions/holdfast.fish",
                "complete in every new fish"),
        ])
}
