/// One record with its table and the bodies of its pages.
package struct ChangeSet: Sendable {
    package var record: Record
    /// In ascending order of pages; empty but in commits.
    package var entries: [PageTableEntry]
    /// The pages' bodies one after another, in the table's order.
    package var bodies: [UInt8]
}
