// Prune deletes what it marked once each lease says that its holder read the mark and builds on
// nothing in the marked file. A lease says so in two fields, which a lease of older versions lacks:
//
//     marks      the first 16 digits of each mark's name, with commas between
//     declared   how often its holder said so; whoever says it again has by then published or
//                given up all it had stored before

/// Which marks the holder of a lease has read and honours.
package struct HonouredMarks: Sendable, Equatable {
    private static let digits = 16
    /// The most marks that a lease names; to the others it counts as not having read them.
    package static let limit = 8192

    private var beginnings: Set<String> = []
    /// How often the holder declared itself.
    package private(set) var declared: UInt64 = 0

    /// None were read.
    package init() {}

    /// Whether the holder read that mark.
    package func contains(_ mark: String) -> Bool {
        beginnings.contains(String(mark.prefix(HonouredMarks.digits)))
    }

    /// The same, declared once more, of these marks only.
    package func declaring(_ marks: Set<String>) -> HonouredMarks {
        var next = self
        next.beginnings = Set(
            marks.sorted().prefix(HonouredMarks.limit).map {
                String($0.prefix(HonouredMarks.digits))
            })
        next.declared += 1
        return next
    }

    var fields: [(name: String, value: String)] {
        guard declared > 0 else { return [] }
        return [
            ("marks", beginnings.sorted().joined(separator: ",")), ("declared", "\(declared)"),
        ]
    }

    init(_ file: ControlFile, in location: String) throws {
        guard let marks = file.fields.first(where: { $0.name == "marks" }) else { return }
        beginnings = Set(marks.value.split(separator: ",").map(String.init))
        declared = try file.number("declared", in: location)
    }
}
