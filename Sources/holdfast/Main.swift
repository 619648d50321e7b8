import Commands
import Glibc
import Platform

/// The program: words in, exit code out.
@main
enum Main {
    static func main() {
        ProcessSetup.prepare()
        let surroundings = Program.Surroundings.ofProcess(SystemClock())
        let words = CommandLine.arguments.dropFirst().map { Array($0.utf8) }
        exit(Program.holdfast.respond(to: Array(words), in: surroundings).rawValue)
    }
}
