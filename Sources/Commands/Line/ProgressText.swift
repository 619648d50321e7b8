/// Progress as a line for a person and as a `status` line for a program.
struct ProgressText {
    let progress: Progress
    let secondsElapsed: UInt64
    let secondsRemaining: UInt64?
    let bytesPerSecond: Double?

    /// restic's line with the pace added: `[0:34] 2.96%  867 files 5.046 GiB, total 307867 files
    /// 170.438 GiB, 98.120 MiB/s, 0 errors ETA 18:35`, then the current path as far as it fits.
    /// A window that is too narrow for it has the totals left out.
    func line(width: Int) -> String {
        // A full last column makes some terminals wrap, and then the line cannot be cleared.
        let room = width - 1
        let whole = counts(withTotals: true)
        return fitted(whole.count <= room ? whole : counts(withTotals: false), room)
    }

    private func counts(withTotals: Bool) -> String {
        let unit = progress.work.unit
        var text = "[\(DurationText.clock(seconds: secondsElapsed))] "
        if let share = progress.share {
            text += ByteCountText.percent(share.part, of: share.whole) + "  "
        }
        text += "\(progress.items) \(unit) \(ByteCountText.shown(progress.bytes)), "
        if withTotals, let items = progress.totalItems, let bytes = progress.totalBytes {
            text += "total \(items) \(unit) \(ByteCountText.shown(bytes)), "
        }
        if let bytesPerSecond {
            text += "\(ByteCountText.shown(UInt64(bytesPerSecond.clamped)))/s, "
        }
        text += "\(progress.errors) errors"
        if let secondsRemaining {
            text += " ETA \(DurationText.clock(seconds: secondsRemaining))"
        }
        return text
    }

    /// restic's `status` object.
    var json: JSONLine {
        var line = JSONLine("status")
        line.add("seconds_elapsed", secondsElapsed)
        if let secondsRemaining { line.add("seconds_remaining", secondsRemaining) }
        let share = progress.share
        line.add("percent_done", share.map { Double($0.part) / Double($0.whole) } ?? 0)
        if let total = progress.totalItems { line.add("total_\(progress.work.unit)", total) }
        line.add(keys.items, progress.items)
        if let total = progress.totalBytes { line.add("total_bytes", total) }
        line.add(keys.bytes, progress.bytes)
        line.add("error_count", progress.errors)
        if !progress.current.isEmpty {
            line.add(
                "current_files",
                texts: progress.current.map { String(decoding: $0, as: UTF8.self) })
        }
        return line
    }

    private var keys: (items: String, bytes: String) {
        switch progress.work {
        case .backup: ("files_done", "bytes_done")
        case .restore: ("files_restored", "bytes_restored")
        case .verify: ("packs_done", "bytes_done")
        }
    }

    private func fitted(_ text: String, _ room: Int) -> String {
        guard let path = progress.current.first, room - text.count >= 12 else {
            return String(text.prefix(room))
        }
        let shown = PathText.shown(path)
        let space = room - text.count - 2
        if shown.count <= space { return text + "  " + shown }
        return text + "  …" + shown.suffix(space - 1)
    }
}

extension Double {
    /// The number, where it fits, between 0 and 2⁶².
    fileprivate var clamped: Double { Swift.min(Swift.max(self, 0), 0x1p62) }
}
