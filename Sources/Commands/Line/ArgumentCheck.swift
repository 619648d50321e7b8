/// Holds a command's arguments against its description.
struct ArgumentCheck {
    let command: CommandDescription

    /// Throws a usage error for the first argument that is missing, superfluous or not allowed.
    func check(_ arguments: [[UInt8]]) throws(CommandError) {
        for (position, description) in command.arguments.enumerated() {
            if description.arity == .required, position >= arguments.count {
                throw .usage(
                    "\(command.name) needs \(description.name)",
                    hint: "usage: \(command.usage)")
            }
        }
        for (position, argument) in arguments.enumerated() {
            guard let description = description(at: position) else {
                throw .usage(
                    "superfluous argument \(PathText.shown(argument)) of holdfast \(command.name)",
                    hint: "usage: \(command.usage)")
            }
            try description.kind.check(argument, of: description.name)
        }
    }

    private func description(at position: Int) -> ArgumentDescription? {
        if position < command.arguments.count { return command.arguments[position] }
        guard let last = command.arguments.last, last.arity == .repeating else { return nil }
        return last
    }
}

extension ValueKind {
    /// Throws a usage error where the value is none of the words that are allowed.
    ///
    /// `subject` says whose value it is: an option, a variable or an argument.
    func check(_ value: [UInt8], of subject: String) throws(CommandError) {
        guard case .words(let words) = self else { return }
        let text = String(decoding: value, as: UTF8.self)
        guard !words.contains(text) else { return }
        let nearest = NearestName.of(text, among: words)
        let choices = words.joined(separator: ", ")
        throw .usage(
            "\(subject) is none of \(choices): \(PathText.shown(value))",
            hint: nearest.map { "did you mean \($0)?" })
    }
}
