/// The values of options that have a grammar of their own.
extension ParsedCommand {
    /// The option's value as one of a type's words, or nil when it was not given.
    ///
    /// The parser admits the words of the description only; throws a usage error where the type
    /// knows fewer of them.
    package func choice<Choice: RawRepresentable<String>>(
        _ option: OptionDescription, as type: Choice.Type
    ) throws(CommandError) -> Choice? {
        guard let text = try text(option) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw .usage("option \(option.spelling) cannot be \(text)")
        }
        return choice
    }

    /// The option's value as a duration such as `1h30m`, or nil when it was not given.
    package func duration(_ option: OptionDescription) throws(CommandError) -> Duration? {
        guard let text = try text(option) else { return nil }
        return try DurationText.read(text, of: "option \(option.spelling)")
    }

    /// The option's value as a whole number within bounds, or nil when it was not given.
    package func number(
        _ option: OptionDescription, in bounds: ClosedRange<Int>
    ) throws(CommandError) -> Int? {
        guard let text = try text(option) else { return nil }
        let isDigits = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isDigits, let number = Int(text), bounds.contains(number) else {
            throw .usage(
                "option \(option.spelling) is no whole number from \(bounds.lowerBound) to "
                    + "\(bounds.upperBound): \(PathText.shown(Array(text.utf8)))")
        }
        return number
    }

    /// The option's value as a share of the stored data, `n/m` or `x%`, or nil when it was not
    /// given.
    package func share(_ option: OptionDescription) throws(CommandError) -> ReadShare? {
        guard let text = try text(option) else { return nil }
        return try ReadShare.read(text, of: "option \(option.spelling)")
    }
}
