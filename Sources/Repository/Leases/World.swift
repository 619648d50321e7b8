package import Platform

/// What a repository takes from outside: time, chance, and who we are.
package struct World: Sendable {
    package let clock: any Clock
    package let randomness: any Randomness
    package let process: ProcessIdentity
    package let host: String
    package let namespace: String
    /// False in a simulation, where no thread may act by itself.
    package let renewsLeases: Bool
    /// Threads that hash, compress and seal.
    package let workers: Int

    package init(
        clock: any Clock, randomness: any Randomness, process: ProcessIdentity, host: String,
        namespace: String, renewsLeases: Bool, workers: Int
    ) {
        self.clock = clock
        self.randomness = randomness
        self.process = process
        self.host = host
        self.namespace = namespace
        self.renewsLeases = renewsLeases
        self.workers = workers
    }
}
