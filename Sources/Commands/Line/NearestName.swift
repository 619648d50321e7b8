/// Finds the name a person most likely meant.
package enum NearestName {
    /// The candidate that differs least from `name`, if it differs little enough to be a slip.
    ///
    /// A slip is at most a third of the letters, at least one; or the beginning of exactly one
    /// candidate.
    package static func of(_ name: String, among candidates: [String]) -> String? {
        guard name.utf8.count <= 64 else { return nil }
        let longer = candidates.filter { $0.hasPrefix(name) }
        if let only = longer.first, longer.count == 1, name.utf8.count >= 2 { return only }
        let limit = max(1, name.utf8.count / 3)
        let ranked = candidates.map { ($0, distance(Array(name.utf8), Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= limit else { return nil }
        return best.0
    }

    /// How many letters must be inserted, deleted, replaced or swapped with their neighbour.
    static func distance(_ from: [UInt8], _ to: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...to.count)
        for row in 0..<from.count {
            var current = [row + 1]
            for column in 0..<to.count {
                let cost = from[row] == to[column] ? 0 : 1
                var best = min(last[column] + cost, last[column + 1] + 1, current[column] + 1)
                let isSwap =
                    row > 0 && column > 0 && from[row] == to[column - 1]
                    && from[row - 1] == to[column]
                if isSwap { best = min(best, beforeLast[column - 1] + 1) }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[to.count]
    }
}
