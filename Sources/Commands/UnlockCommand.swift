import Platform
import Repository

extension UnlockCommand {
    /// Revokes the leases of holders that are gone.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        try Session.run(context, purpose: "unlock", writes: true) { session in
            let place = session.repository.place
            let own = try session.writingLease().id
            var revoked: UInt64 = 0
            for lease in try place.leases() where lease != own {
                guard let bytes = try place.read(lease: lease) else { continue }
                let record = LeaseRecord.readable(bytes, of: lease)
                let state = try session.repository.observer.state(of: lease, record)
                if state == .dead || parsed.has(removeAll) {
                    try place.revoke(lease: lease)
                    revoked += 1
                    context.report.note("revoked the lease of \(name(lease, record))")
                } else {
                    context.report.note(keeping(lease, record, state))
                }
            }
            try place.sweepLeases()
            context.report.note("\(Counted.of(revoked, "lease was", "leases were")) revoked")
            var line = JSONLine("summary")
            line.add("leases_revoked", revoked)
            context.report.answer(line)
            return .done
        }
    }

    private static func name(_ lease: LeaseID, _ record: LeaseRecord?) -> String {
        record?.holder ?? "an unknown holder (\(lease.name.prefix(8)))"
    }

    private static func keeping(
        _ lease: LeaseID, _ record: LeaseRecord?, _ state: LeaseState
    ) -> String {
        guard case .unknown(let seconds) = state else {
            return "kept the lease of \(name(lease, record)): it is alive"
        }
        return "kept the lease of \(name(lease, record)): it is dead if it stands still for "
            + "\(seconds) s more; run unlock again by then"
    }
}
