import Codec
package import Repository

extension GroupPlan {
    /// The group's pages as the state has them, one after another; the lock page is zero.
    ///
    /// - Throws: `damaged` where a page is not what its hash says.
    package func build(with tools: Tools) throws -> [UInt8] {
        try build(with: tools, only: nil)
    }

    /// What the group adds to the state root; `bytes` are those that ``build(with:)`` proved.
    func sum(of bytes: [UInt8], with hasher: Hasher256) -> StateRoot {
        var sum = StateRoot()
        for (number, hash) in zip(pages, hashes) where number != geometry.lockPage {
            guard number == 1 else {
                sum.add(hash)
                continue
            }
            bytes.withUnsafeBytes { bytes in
                let page = UnsafeRawBufferPointer(rebasing: bytes[0..<geometry.pageSize])
                sum.add(PageHash.rootContribution(ofFirst: page, with: hasher))
            }
        }
        return sum
    }

    /// - Parameter only: pages that are needed and proved; nil for all.
    func build(with tools: Tools, only: Set<UInt32>?) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: pages.count * geometry.pageSize)
        if let base {
            // Each page is proved by its own hash below.
            let stored = try tools.opener.readSealed(base.blob)
            guard stored.count == base.pages * geometry.pageSize else {
                throw damage("its base has another size")
            }
            bytes.withUnsafeMutableBytes { target in
                stored.withUnsafeBytes { stored in
                    let count = min(stored.count, target.count)
                    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: stored[0..<count]))
                }
            }
        }
        try bytes.withUnsafeMutableBytes { bytes in
            try apply(to: bytes, only: only, with: PageCoder(tools))
            try prove(UnsafeRawBufferPointer(bytes), only: only, with: tools.hasher)
        }
        return bytes
    }

    private func apply(
        to bytes: UnsafeMutableRawBufferPointer, only: Set<UInt32>?, with coder: PageCoder
    ) throws {
        for change in changes {
            if let only, !only.contains(change.page) { continue }
            do {
                try coder.decode(change.body, change.codec, over: page(change.page, bytes))
            } catch {
                throw damage("page \(change.page): \(error)")
            }
        }
    }

    private func prove(
        _ bytes: UnsafeRawBufferPointer, only: Set<UInt32>?, with hasher: Hasher256
    ) throws {
        for (index, number) in pages.enumerated() where number != geometry.lockPage {
            if let only, !only.contains(number) { continue }
            let start = index * geometry.pageSize
            let page = UnsafeRawBufferPointer(rebasing: bytes[start..<start + geometry.pageSize])
            guard PageHash.hash(of: number, page, with: hasher) == hashes[index] else {
                throw damage("page \(number) is not what its hash says")
            }
        }
    }

    private func page(
        _ number: UInt32, _ bytes: UnsafeMutableRawBufferPointer
    ) -> UnsafeMutableRawBufferPointer {
        let start = Int(number - pages.lowerBound) * geometry.pageSize
        return UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + geometry.pageSize])
    }

    private func damage(_ what: String) -> RepositoryError {
        RepositoryError(
            .damaged, "page group \(group) of a database: \(what)",
            hint: "Run 'holdfast verify --read-data' to see what is hurt.")
    }
}
