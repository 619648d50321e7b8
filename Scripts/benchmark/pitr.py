"""Recording every commit and going back to one, beside Litestream."""

import datetime
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import captures
import writer
from backup import digest
from captures import Alone, Holdfast, Litestream, Litestream100, wait_for
from generate import cached, write_database
from measure import Failure, capture, make_warm, require_room, say
from mutate import mutate_database
from observe import Commits, Sampler, percentile
from report import circumstances, megabytes, ratio, ratio_text, table

WRITERS = ("alone", "holdfast", "litestream", "litestream 100 ms")
IDLE = 200


@dataclass(frozen=True)
class PitrShape:
    """The database that is changed by 2 % and restored."""

    rows: int


@dataclass
class Run:
    """A writer's run beside one capture."""

    commits: int
    rate: float
    longest: float
    log_peak: int
    lags: dict
    cpu: float = 0
    peak_bytes: int = 0
    restorable: int = 0
    caught_up: float | None = None


def run(options, root, folder):
    rows = 1_010_000 // (20 if options.small else 1)
    load = os.getloadavg()[0]
    require_room(root, needed_bytes=6_000 * rows + 6_000_000_000, needed_inodes=100_000)
    Holdfast.binary = options.holdfast.absolute()
    Litestream.install(root)
    figures = {}
    for synchronous, rate, seconds in schedule(options):
        for number in range(1, options.rounds + 1):
            for tool in (Alone, *captures.TOOLS):
                say(f"{tool.name}, synchronous={synchronous}, {rate or 'full'} commits/s,"
                    f" round {number} of {options.rounds}")
                result = write(tool, folder / "writer", synchronous, rate, seconds)
                figures.setdefault((synchronous, rate, tool.name), []).append(result)
    say("generating the large database, unless it is there already")
    large = cached(root, f"pitr-{rows}", PitrShape(rows), build) / "accounts.db"
    changes = {}
    for tool in (Holdfast, Litestream):
        for number in range(1, options.rounds + 1):
            say(f"{tool.name}, 2 % of {rows} rows updated, and restored, round {number}")
            changes.setdefault(tool.name, []).append(change(tool, folder / "large", large, rows))
    idle = {tool.name: idling(tool, folder, options) for tool in (Holdfast, Litestream)}
    return page(options, figures, changes, idle, large, load)


def schedule(options):
    """What the writers do: (synchronous, commits a second, seconds)."""
    paced, full = (options.seconds or 20), (options.seconds or 15)
    return [("full", 200, paced), ("full", 0, full), ("normal", 0, full)]


def build(folder, shape):
    write_database(folder / "accounts.db", shape.rows)


# MARK: - A writer


def write(tool, folder, synchronous, rate, seconds):
    folder.mkdir()
    database = folder / "data" / "app.db"
    database.parent.mkdir()
    writer.make(database)
    os.sync()
    capture = tool(folder / "capture", [database])
    process = None
    try:
        capture.start()
        process = begin(database, folder, synchronous, rate, seconds)
        result = follow(capture, process, database, folder)
        process.stdin.close()
        wait_for("the writer's end", lambda: process.poll() is not None)
        return result
    finally:
        capture.abandon()
        if process and process.poll() is None:
            process.kill()
            process.wait()
        shutil.rmtree(folder)


def begin(database, folder, synchronous, rate, seconds):
    process = subprocess.Popen(
        [
            sys.executable, "-B", writer.__file__, database, folder / "commits", synchronous,
            str(seconds), str(rate),
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    if process.stdout.readline() != "ready\n":
        raise Failure("the writer did not start")
    return process


def follow(capture, process, database, folder):
    is_alone = isinstance(capture, Alone)
    before = 0 if is_alone else capture.usage.cpu_seconds()
    sampler = Sampler(f"{database}-wal")
    process.stdin.write("\n")
    process.stdin.flush()
    done = process.stdout.readline()
    ended = time.monotonic()
    peak = sampler.end()
    if done != "done\n":
        raise Failure("the writer failed")
    commits = Commits(writer.commits(folder / "commits"))
    result = Run(len(commits.commits), commits.rate, commits.longest, peak, {})
    if not is_alone:
        finish(capture, commits, result, ended)
        result.cpu -= before
    tell(result)
    return result


def finish(capture, commits, result, ended):
    """Lets the capture catch up, ends it, and asks what can be restored."""
    try:
        wait_for(
            "the last commit", lambda: capture.is_caught_up(commits), capture.process, seconds=60
        )
        result.caught_up = time.monotonic() - ended
    except Failure as failure:
        say(f"  {capture.name}: {failure}")
    result.cpu = capture.usage.cpu_seconds()
    result.peak_bytes = capture.usage.memory("VmHWM")
    capture.stop()
    result.lags = capture.lags(commits)
    result.restorable = capture.restorable()


def tell(result):
    lags = "".join(
        f", {name} p50 {milliseconds(percentile(lags, 0.5))}"
        f" p99 {milliseconds(percentile(lags, 0.99))}"
        for name, lags in result.lags.items()
    )
    say(
        f"  {result.commits} commits, {result.rate:.0f}/s, longest {milliseconds(result.longest)},"
        f" WAL {megabytes(result.log_peak)}, CPU {result.cpu:.2f} s,"
        f" {megabytes(result.peak_bytes)} peak, {result.restorable} restorable{lags}"
    )


# MARK: - A large database


@dataclass
class Change:
    """What 2 % of the rows cost to keep, and the whole to restore."""

    added_bytes: int
    restore_seconds: float
    restore_peak: int


def change(tool, folder, large, rows):
    folder.mkdir()
    database = folder / "data" / "accounts.db"
    database.parent.mkdir()
    shutil.copyfile(large, database)
    os.sync()
    capture = tool(folder / "capture", [database])
    try:
        capture.start()
        before = capture.stored_bytes()
        moment, wanted = mutate(database, rows)
        time.sleep(3)
        capture.stop()
        added = capture.stored_bytes() - before
        make_warm(capture.repository)
        cost, restored = capture.restore(moment)
        if digest(restored) != wanted:
            raise Failure(f"{tool.name} restored another state than that of {moment}")
        say(
            f"  {megabytes(added)} added, restored in {cost.wall_seconds:.2f} s,"
            f" {megabytes(cost.peak_bytes)} peak"
        )
        return Change(added, cost.wall_seconds, cost.peak_bytes)
    finally:
        capture.abandon()
        shutil.rmtree(folder)


def mutate(database, rows):
    """Updates the rows in four commits; answers a moment in the middle, and what held then."""
    noted = []

    def after(part):
        # Longer than any interval of either tool, so that the moment is one that both can name.
        time.sleep(2.5)
        if part == 1:
            noted.extend((now(), digest(database)))
            time.sleep(1)

    mutate_database(database, rows, after=after, finish=lambda connection: connection.close())
    return noted


def now():
    moment = datetime.datetime.now(datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# MARK: - Many idle databases


@dataclass
class Idle:
    memory: int
    descriptors: int
    cpu: float


def idling(tool, folder, options):
    """What one and what many databases cost when nobody writes: (one, many)."""
    say(f"{tool.name}, 1 and {IDLE} databases that nobody writes")
    seconds = 3 if options.small or options.seconds else 20
    return [idle(tool, folder / "idle", count, seconds) for count in (1, IDLE)]


def idle(tool, folder, count, seconds):
    folder.mkdir()
    paths = [folder / "data" / f"{number:03}" / "app.db" for number in range(count)]
    for path in paths:
        path.parent.mkdir(parents=True)
        if path is paths[0]:
            writer.make(path)
        else:
            shutil.copyfile(paths[0], path)
    capture = tool(folder / "capture", paths)
    try:
        capture.start()
        time.sleep(3)
        before = capture.usage.cpu_seconds()
        time.sleep(seconds)
        result = Idle(
            capture.usage.memory("VmRSS"),
            capture.usage.descriptors(),
            (capture.usage.cpu_seconds() - before) / seconds,
        )
        capture.stop()
    finally:
        capture.abandon()
        shutil.rmtree(folder)
    say(
        f"  {count}: {megabytes(result.memory)}, {result.descriptors} descriptors,"
        f" {result.cpu * 100:.1f} % of a core"
    )
    return result


# MARK: - The page


def milliseconds(value):
    return "–" if value is None else f"{value * 1e3:.1f} ms"


class Figures:
    """Medians over the rounds."""

    def __init__(self, runs):
        self.runs = runs

    def of(self, synchronous, rate, tool, figure):
        values = [figure(run) for run in self.runs[synchronous, rate, tool]]
        return None if None in values else median(values)

    def lag(self, tool, place, share):
        return self.of(
            "full", 200, tool, lambda run: percentile(run.lags.get(place, []), share)
        )

    def rate(self, synchronous, tool):
        own = self.of(synchronous, 0, tool, lambda run: run.rate)
        return ratio(own, self.of(synchronous, 0, "alone", lambda run: run.rate))

    def stall(self, synchronous, tool):
        """Beyond the longest commit alone."""
        alone = self.of(synchronous, 0, "alone", lambda run: run.longest)
        return max(0, self.of(synchronous, 0, tool, lambda run: run.longest) - alone)

    def log(self, tool):
        return max(
            self.of(mode, 0, tool, lambda run: run.log_peak) for mode in ("full", "normal")
        )


def page(options, runs, changes, idle, large, load):
    figures = Figures(runs)
    parts = [
        "# Every commit, beside Litestream",
        "`holdfast watch` and `litestream replicate` to a file replica, beside the same writer, in"
        " turn, in one run of `Scripts/bench pitr`.",
    ]
    if options.small or options.seconds:
        parts.append("**A shortened run: it tests the script and says nothing about the tools.**")
    parts.append(
        circumstances(
            large,
            [Holdfast.version(), Litestream.version()],
            load,
            "The writer: Python's sqlite3, one row of 200 bytes a commit, autocheckpoint as SQLite"
            f" has it; {schedule(options)[0][2]} s at 200 commits/s,"
            f" {schedule(options)[1][2]} s at full speed",
            f"The large database: {megabytes(large.stat().st_size)}; 2 % of its rows are updated in"
            " four commits, and it is restored to a moment between the second and the third",
            "Lag: from the return of a commit to the notice of the file that has it: Holdfast's"
            " mark, written after the journal's sync, and the line that tells of a segment read"
            " back; Litestream's LTX file of level 0, local and in the replica (it syncs neither"
            " to a journal: the local file counts)",
            f"Medians of {options.rounds}; `litestream 100 ms` has both its intervals at 100 ms",
        )
    )
    parts += ["## Budgets", budgets(figures, changes)]
    parts += ["## 200 commits a second", paced(figures)]
    for mode in ("full", "normal"):
        parts += [f"## Full speed, synchronous={mode.upper()}", full_speed(figures, mode)]
    parts += ["## Idle databases", idle_table(idle)]
    return "\n\n".join(parts)


def verdict(is_met):
    return "met" if is_met else "**missed**"


def budgets(figures, changes):
    rows = []

    def at_most(what, value, limit, show, theirs, unit=lambda limit: f"≤ {limit:g}"):
        met = "–" if value is None else verdict(value <= limit)
        rows.append([what, show(value), theirs, unit(limit), met])

    def in_milliseconds(limit):
        return f"≤ {limit * 1e3:g} ms"

    for share, limit in ((0.5, 0.010), (0.99, 0.050)):
        at_most(
            f"commit → journal, p{share * 100:.0f}",
            figures.lag("holdfast", "journal", share), limit, milliseconds,
            " / ".join(
                milliseconds(figures.lag(tool, "repository", share)) for tool in WRITERS[2:]
            ),
            in_milliseconds,
        )
    for mode, least, most in (("full", 0.90, 0.020), ("normal", 0.85, 0.050)):
        own = figures.rate(mode, "holdfast")
        rows.append([
            f"writer's rate, {mode.upper()}, captured / alone", ratio_text(own),
            ratio_text(figures.rate(mode, "litestream")), f"≥ {least:g}", verdict(own >= least),
        ])
        at_most(
            f"longest stall beyond the longest alone, {mode.upper()}",
            figures.stall(mode, "holdfast"), most, milliseconds,
            milliseconds(figures.stall(mode, "litestream")), in_milliseconds,
        )
    at_most(
        "largest WAL", figures.log("holdfast"), 64e6, megabytes,
        megabytes(figures.log("litestream")), megabytes,
    )
    for what, limit, show, figure in (
        ("bytes stored for 2 % of the rows", 0.1, megabytes, lambda change: change.added_bytes),
        ("restore to a moment", 0.4, lambda value: f"{value:.2f} s",
         lambda change: change.restore_seconds),
    ):
        ours, theirs = (
            median(figure(change) for change in changes[tool]) for tool in WRITERS[1:3]
        )
        rows.append([
            what, f"{show(ours)} (× {ratio_text(ratio(ours, theirs))})", show(theirs),
            f"≤ × {limit:g}", verdict(ours <= limit * theirs),
        ])
    return table(["", "Holdfast", "Litestream", "budget", "met"], rows)


def paced(figures):
    def lag(tool, place, share):
        return milliseconds(figures.lag(tool, place, share))

    rows = [
        [
            tool,
            *(lag(tool, place, share) for place in ("journal", "repository")
              for share in (0.5, 0.99)),
            restorable(figures, "full", 200, tool),
            cpu(figures, "full", 200, tool),
        ]
        for tool in WRITERS[1:]
    ]
    header = ["", "→ journal, p50", "p99", "→ repository, p50", "p99", "states restorable", "CPU"]
    return table(header, rows)


def restorable(figures, mode, rate, tool):
    kept = figures.of(mode, rate, tool, lambda run: run.restorable)
    made = figures.of(mode, rate, tool, lambda run: run.commits)
    return f"{kept:.0f} of {made:.0f}"


def cpu(figures, mode, rate, tool):
    return f"{figures.of(mode, rate, tool, lambda run: run.cpu):.2f} s"


def full_speed(figures, mode):
    rows = []
    for tool in WRITERS:
        def of(figure, tool=tool):
            return figures.of(mode, 0, tool, figure)

        row = [
            tool, f"{of(lambda run: run.rate):.0f}/s", ratio_text(figures.rate(mode, tool)),
            milliseconds(of(lambda run: run.longest)), megabytes(of(lambda run: run.log_peak)),
        ]
        if tool == "alone":
            row += ["–"] * 4
        else:
            behind = of(lambda run: run.caught_up)
            row += [
                restorable(figures, mode, 0, tool), cpu(figures, mode, 0, tool),
                megabytes(of(lambda run: run.peak_bytes)),
                "more than 60 s" if behind is None else f"{behind:.1f} s",
            ]
        rows.append(row)
    header = [
        "", "rate", "÷ alone", "longest commit", "largest WAL", "states restorable", "CPU",
        "peak memory", "caught up after",
    ]
    return table(header, rows)


def idle_table(idle):
    rows = []
    for tool, (one, many) in idle.items():
        rows.append([
            tool, megabytes(one.memory), megabytes(many.memory),
            f"{(many.memory - one.memory) / (IDLE - 1) / 1e3:.0f} kB",
            f"{(many.descriptors - one.descriptors) / (IDLE - 1):.1f}",
            f"{many.cpu * 100:.1f} %",
        ])
    header = ["", "1 database", f"{IDLE} databases", "each", "descriptors each",
              f"of a core, {IDLE}"]
    return table(header, rows)
