import Platform
import Repository
import Timeline

/// A round of questions: each watch that records one of the streams seals what its journal has.
struct WatchRound {
    /// The clock's time just before the first question.
    let moment: Timestamp
    /// The streams of which the repository has everything that was committed before that moment.
    private(set) var covered: Set<[UInt8]> = []

    init(
        asking streams: [Timeline.Stream], in repository: Repository, _ context: CommandContext
    ) throws {
        moment = context.clock.now()
        for stream in streams {
            switch try stream.askWatch(in: repository) {
            case nil: continue
            case .sealed: covered.insert(stream.identity.stream)
            case .silent(let reason):
                context.report.answer(
                    "\(stream.path): commits that its watch has journalled may be missing here: "
                        + reason)
            }
        }
    }
}
