/// A shell that completes holdfast's command lines by a script made of the descriptions.
package enum CompletionShell: String, CaseIterable, Sendable {
    case bash
    case zsh
    case fish

    /// The script to source; it asks holdfast nothing, so that completing costs no start of it.
    package func script(of program: ProgramDescription) -> String {
        let lines =
            switch self {
            case .bash: BashCompletion(program: program).lines
            case .zsh: ZshCompletion(program: program).lines
            case .fish: FishCompletion(program: program).lines
            }
        return lines.joined(separator: "\n")
    }
}

extension ProgramDescription {
    /// The words that a shell offers for a value: allowed words, or the commands' names.
    func words(for kind: ValueKind) -> [String]? {
        switch kind {
        case .words(let words): words
        case .command: commands.flatMap(\.names)
        case .text, .file, .directory, .anyPath: nil
        }
    }
}
