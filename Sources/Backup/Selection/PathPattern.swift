/// A pattern of paths, compiled, byte by byte, with restic's rules.
///
/// | pattern | matches |
/// | --- | --- |
/// | `*.tmp` | each path whose last component matches, anywhere |
/// | `cache/*.tmp` | each path that ends in components that match, anywhere |
/// | `/srv/*.tmp` | from the root only |
/// | `/srv/**/tmp` | `**` is any number of components, also none |
/// | `/srv/**` | at the end, `**` is at least one component: all beneath `/srv`, not `/srv` |
/// | `cache/` | directories only |
/// | `!keep.tmp` | undoes what patterns before it said |
///
/// `*`, `?` (one byte) and `[a-z]` stay within a component; `\` takes the meaning out of the byte
/// after it. What a pattern matches it matches with all that lies beneath.
package struct PathPattern: Hashable, Sendable {
    /// Whether it undoes what patterns before it said.
    package let isNegated: Bool
    private let isDirectoryOnly: Bool
    private let elements: [Element]
    /// The only component of a pattern without a slash: the last name alone decides.
    private let lastName: ComponentPattern?

    private enum Element: Hashable, Sendable {
        case anyDepth
        case component(ComponentPattern)
    }

    private static let mostComponents = 60
    private static let longest = 8192

    /// Compiles a pattern; throws for one that is malformed, or could match no path.
    package init(_ text: [UInt8]) throws(PathPatternError) {
        do {
            try self.init(compiling: text)
        } catch {
            throw PathPatternError(pattern: text, reason: error, line: nil)
        }
    }

    private init(compiling text: [UInt8]) throws(PathPatternError.Reason) {
        guard text.count <= Self.longest else { throw .tooLong }
        guard !text.contains(0) else { throw .notText }
        isNegated = text.first == UInt8(ascii: "!")
        let body = isNegated ? text.dropFirst() : text[...]
        let names = body.split(separator: UInt8(ascii: "/"))
        guard !names.isEmpty else { throw .empty }
        guard names.count <= Self.mostComponents else { throw .tooManyComponents }
        isDirectoryOnly = body.last == UInt8(ascii: "/")
        let isAnchored = body.first == UInt8(ascii: "/")
        elements = (isAnchored ? [] : [.anyDepth]) + (try Self.elements(names))
        if elements.count == 2, !isAnchored, case .component(let only) = elements[1] {
            lastName = only
        } else {
            lastName = nil
        }
    }

    private static func elements(
        _ names: [ArraySlice<UInt8>]
    ) throws(PathPatternError.Reason) -> [Element] {
        var elements: [Element] = []
        for (position, name) in names.enumerated() {
            if name.elementsEqual("**".utf8) {
                elements.append(.anyDepth)
                if position == names.count - 1 { elements.append(.component(.any)) }
            } else if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) {
                throw .dotComponent
            } else {
                elements.append(.component(try ComponentPattern(name)))
            }
        }
        return elements
    }

    /// Whether the path itself matches; what lies above it is not looked at.
    func matches(_ path: SplitPath, isDirectory: Bool) -> Bool {
        guard isDirectory || !isDirectoryOnly else { return false }
        if let lastName {
            return path.withLastName { name in name.map(lastName.matches) ?? false }
        }
        return follow(path, isDirectory: isDirectory).matchesPath
    }

    /// How far a path has come in the pattern.
    struct Progress {
        fileprivate var states: UInt64
    }

    /// At the root.
    var start: Progress { Progress(states: closure(of: 1)) }

    /// Whether the path matches that `progress` has come to with one more component.
    func matches(
        _ name: UnsafeBufferPointer<UInt8>, after progress: inout Progress, isDirectory: Bool
    ) -> Bool {
        let mayMatch = isDirectory || !isDirectoryOnly
        if let lastName { return mayMatch && lastName.matches(name) }
        progress.states = step(progress.states, name)
        return mayMatch && progress.states & (1 << UInt64(elements.count)) != 0
    }

    /// Follows the path from the root through the pattern.
    func follow(_ path: SplitPath, isDirectory: Bool) -> PatternCourse {
        var course = PatternCourse()
        var states = closure(of: 1)
        let end: UInt64 = 1 << UInt64(elements.count)
        path.forEachName { name, isLast in
            states = step(states, name)
            guard states & end != 0 else { return }
            if !isLast {
                course.matchesAncestor = true
            } else if isDirectory || !isDirectoryOnly {
                course.matchesPath = true
            }
        }
        course.mayMatchBeneath = states & (end - 1) != 0
        return course
    }

    /// The states (bit n: elements before n are matched) after one more component.
    private func step(_ states: UInt64, _ name: UnsafeBufferPointer<UInt8>) -> UInt64 {
        guard states != 0 else { return 0 }
        var next: UInt64 = 0
        for (position, element) in elements.enumerated() {
            guard states >> UInt64(position) & 1 == 1 else { continue }
            switch element {
            case .anyDepth: next |= 1 << UInt64(position)
            case .component(let pattern):
                if pattern.matches(name) { next |= 1 << UInt64(position + 1) }
            }
        }
        return closure(of: next)
    }

    /// The states with those that `**` reaches by matching nothing.
    private func closure(of states: UInt64) -> UInt64 {
        var closed = states
        for (position, element) in elements.enumerated() where element == .anyDepth {
            if closed >> UInt64(position) & 1 == 1 { closed |= 1 << UInt64(position + 1) }
        }
        return closed
    }
}

/// What following a path through a pattern showed.
struct PatternCourse: Hashable, Sendable {
    /// The path itself matches.
    var matchesPath = false
    /// A directory above it matches.
    var matchesAncestor = false
    /// Something beneath it could match, were it a directory.
    var mayMatchBeneath = false
}
