import Repository
import Testing

@Suite struct PrunePlanTests {
    private static let megabyte: UInt64 = 1 << 20

    private func pack(
        _ name: String, _ size: UInt64, needed: UInt64, isMarked: Bool = false,
        isFresh: Bool = false
    ) -> PackUse {
        PackUse(
            pack: Int64(name.hashValue), name: name, size: size, needed: needed,
            isMarked: isMarked, isFresh: isFresh)
    }

    private func names(_ packs: [PackUse]) -> Set<String> { Set(packs.map(\.name)) }

    @Test func whatIsUnneededIsDroppedAlsoWithoutALimit() {
        let packs = [pack("a", 100, needed: 0), pack("b", 100, needed: 1)]
        let plan = PrunePlan(for: packs, limit: .unlimited, budget: 10)
        #expect(names(plan.dropped) == ["a"] && plan.emptied.isEmpty && names(plan.kept) == ["b"])
    }

    @Test func theEmptiestAreEmptiedUntilTheLimitHolds() {
        let size = 32 * Self.megabyte
        let packs = [
            pack("full", size, needed: size - 96), pack("half", size, needed: size / 2),
            pack("little", size, needed: size / 10),
        ]
        let nothing = PrunePlan(for: packs, limit: .bytes(0), budget: 10)
        #expect(names(nothing.emptied) == ["half", "little"] && nothing.unusedKept == 0)
        let some = PrunePlan(for: packs, limit: .bytes(size / 2), budget: 10)
        #expect(names(some.emptied) == ["little"])
        let share = PrunePlan(for: packs, limit: .percent(50), budget: 10)
        #expect(names(share.emptied) == [])
    }

    @Test func manySmallPacksArePutTogetherAndFewAreNot() {
        let few = (1..<PrunePlan.smallCount).map {
            pack("p\($0)", Self.megabyte, needed: Self.megabyte - 96)
        }
        let last = pack("p0", Self.megabyte, needed: Self.megabyte - 96)
        #expect(PrunePlan(for: few, limit: .percent(5), budget: 100).emptied.isEmpty)
        let plan = PrunePlan(for: few + [last], limit: .percent(5), budget: 100)
        #expect(plan.emptied.count == PrunePlan.smallCount)
        #expect(PrunePlan(for: few + [last], limit: .unlimited, budget: 100).emptied.isEmpty)
    }

    @Test func freshAndMarkedPacksAreLeftAlone() {
        let packs = [
            pack("fresh", 100, needed: 0, isFresh: true),
            pack("marked", 100, needed: 0, isMarked: true),
        ]
        let plan = PrunePlan(for: packs, limit: .bytes(0), budget: 10)
        #expect(plan.dropped.isEmpty && plan.emptied.isEmpty && names(plan.kept) == ["fresh"])
    }

    /// Every small repository under every limit and budget.
    @Test func everySmallPlanKeepsItsPromises() {
        let sizes: [UInt64] = [1000, 1000, 2000, 4000]
        for code in 0..<4 * 4 * 4 * 4 {
            let packs = sizes.enumerated().map { index, size in
                let state = UInt64(code >> (2 * index) & 3)
                return pack("\(index)", size, needed: state == 3 ? size - 96 : size * state / 3)
            }
            for limit in [UnusedLimit.bytes(0), .bytes(700), .percent(20), .unlimited] {
                for budget in 0...4 {
                    check(PrunePlan(for: packs, limit: limit, budget: budget), packs, limit, budget)
                }
            }
        }
    }

    private func check(
        _ plan: PrunePlan, _ packs: [PackUse], _ limit: UnusedLimit, _ budget: Int
    ) {
        let all = plan.dropped + plan.emptied + plan.kept
        #expect(all.count == packs.count && names(all).count == packs.count)
        #expect(plan.dropped.count + plan.emptied.count <= budget)
        #expect(plan.dropped.allSatisfy { $0.needed == 0 })
        #expect(plan.emptied.allSatisfy { $0.needed > 0 && $0.unused > 0 })
        guard budget == packs.count else { return }
        #expect(plan.kept.allSatisfy { $0.needed > 0 })
        if limit == .bytes(0) { #expect(plan.unusedKept == 0) }
        if limit == .bytes(700) { #expect(plan.unusedKept <= 700) }
        if limit == .unlimited { #expect(plan.emptied.isEmpty) }
    }
}
