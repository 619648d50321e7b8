import Platform

/// The names that lead from the target to an entry; the entries of a directory share all but the
/// last, so that a deep tree takes no more memory than it has names.
final class TargetWay {
    let name: [UInt8]
    /// The way to the directory it lies in; nil for the target itself.
    private(set) var above: TargetWay?
    let depth: Int

    init(_ name: [UInt8], below above: TargetWay?) {
        self.name = name
        self.above = above
        depth = 1 + (above?.depth ?? 0)
    }

    /// Nil where there are no names: that is the target, and no entry in it.
    convenience init?(_ names: [[UInt8]]) {
        guard let last = names.last else { return nil }
        let above = names.dropLast().reduce(nil) { TargetWay($1, below: $0) }
        self.init(last, below: above)
    }

    deinit {
        // One after another: to let go of a long way by recursion takes as much stack.
        var rest = above.take()
        while isKnownUniquelyReferenced(&rest) {
            let next = rest?.above.take()
            rest = next ?? nil
        }
    }

    func path(below target: FilePath) -> FilePath {
        var names: [[UInt8]] = []
        var step: TargetWay? = self
        while let way = step {
            names.append(way.name)
            step = way.above
        }
        let rest = names.reversed().joined(separator: [UInt8(ascii: "/")])
        return target.appending(Array(rest))
    }
}

/// Where a restore is in its target, since the next entry is near.
struct TargetTrail {
    private var trail: DirectoryTrail
    /// The way to the innermost directory of the trail; nil for the target.
    private var here: TargetWay?

    init(from target: TargetDirectory) {
        trail = DirectoryTrail(from: target)
    }

    /// The directory at the end of a way; throws ESTALE where one on the way back was moved.
    mutating func directory(at way: TargetWay?) throws(SystemError) -> TargetDirectory {
        if way !== here {
            var missing: [TargetWay] = []
            here = shared(with: way, &missing)
            trail.leave(to: here?.depth ?? 0)
            for step in missing.reversed() {
                try trail.enter(try trail.innermost().open(step.name), as: step.name)
                here = step
            }
        }
        return try trail.innermost()
    }

    /// How far a way is the one to here; collects the rest of it, the last step first.
    private func shared(with way: TargetWay?, _ rest: inout [TargetWay]) -> TargetWay? {
        var (mine, other) = (here, way)
        while mine !== other {
            let depth = other?.depth ?? 0
            if (mine?.depth ?? 0) >= depth { mine = mine?.above }
            if let step = other, depth > (mine?.depth ?? 0) {
                rest.append(step)
                other = step.above
            }
        }
        return mine
    }
}
