/// The leases of others, as one listing shows them.
///
/// A marked file may be deleted once each lease of a listing made after its mark was durable has
/// ended, was revoked, or honours the mark. A lease that begins later reads the mark.
package struct LivingLeases {
    private var holders: [LeaseID: (name: String, honours: HonouredMarks)] = [:]

    /// Lists the leases; those of holders that are dead are revoked.
    ///
    /// - Parameter revokes: whether dead ones are revoked, or only not counted.
    init(besides own: LeaseID?, in repository: Repository, revokes: Bool) throws {
        let place = repository.place
        for lease in try place.leases() where lease != own {
            guard let bytes = try place.read(lease: lease) else { continue }
            let record = LeaseRecord.readable(bytes, of: lease)
            if try repository.observer.state(of: lease, record) == .dead {
                if revokes { try place.revoke(lease: lease) }
                continue
            }
            let unknown = "an unknown holder (\(lease.name.prefix(8)))"
            holders[lease] = (record?.holder ?? unknown, record?.honours ?? HonouredMarks())
        }
    }

    /// Those of the marks that hinder nobody any more.
    func cleared(_ marks: Set<String>) -> Set<String> {
        marks.filter { mark in holders.values.allSatisfy { $0.honours.contains(mark) } }
    }

    /// Who does not honour all of the marks.
    func hindering(_ marks: Set<String>) -> [String] {
        holders.values.filter { holder in !marks.allSatisfy(holder.honours.contains) }
            .map(\.name).sorted()
    }

    /// Who may have stored what is not published yet.
    var writerNames: [String] {
        holders.values.filter { $0.honours.declared > 0 }.map(\.name).sorted()
    }

    /// Each lease that may have stored what it has not published yet, with how often it declared
    /// itself.
    var writers: Set<String> {
        Set(
            holders.filter { $0.value.honours.declared > 0 }
                .map { "\($0.key):\($0.value.honours.declared)" })
    }
}
