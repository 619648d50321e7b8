"""First backup, no-change backup, day-2 backup, restore and verify, beside restic and borg."""

import filecmp
import os
import shutil
import sqlite3
import stat
from pathlib import Path

from generate import BackupShape, backup_data
from measure import (
    Failure,
    can_drop_caches,
    capture,
    make_cold,
    make_warm,
    require_room,
    say,
    size_of,
    walk_files,
)
from mutate import mutate
from report import (
    Results,
    Sample,
    budget_row,
    circumstances,
    megabytes,
    ratio,
    ratio_text,
    seconds,
    table,
)
from tools import HoldfastBalanced, HoldfastMax, Tar, chosen, versions

FIRST, NO_CHANGE, DAY_2 = "first backup", "no-change backup", "day-2 backup"
RESTORE, VERIFY = "full restore", "verify, all data read"
STEPS = (FIRST, NO_CHANGE, DAY_2, RESTORE, VERIFY)
LEVELS = (HoldfastBalanced, HoldfastMax)
PEERS = ("restic", "borg zlib,1", "borg lz4")


def run(options, root, folder):
    shape = BackupShape.full().divided(20 if options.small else 1)
    load = os.getloadavg()[0]
    # Pristine data, its copy, one restored tree, tar's file, and the repositories.
    require_room(
        root, needed_bytes=8 * shape.file_bytes + 4_000 * shape.rows, needed_inodes=250_000
    )
    say("generating the data, unless it is there already")
    pristine = backup_data(root, shape)
    tools = chosen(options.tools, options.holdfast)
    caches = ["warm"]
    if not options.warm_only and can_drop_caches():
        caches.append("cold")
    results = Results()
    for number in range(1, options.rounds + 1):
        for cache in caches:
            say(f"round {number} of {options.rounds}, {cache} page cache")
            Round(results, cache, folder, pristine, shape, tools).run(
                check_restored=number == 1 and cache == "warm"
            )
    if "holdfast" in options.tools:
        say("the other compression levels")
        for number in range(options.rounds):
            Round(results, "warm", folder, pristine, shape, LEVELS).run_first_only()
    return page(options, results, pristine, shape, caches, load)


class Round:
    """All steps once, on a copy of the data of its own; within a step the tools take turns."""

    def __init__(self, results, cache, folder, pristine, shape, tools):
        self.results = results
        self.cache = cache
        self.shape = shape
        self.folder = folder / "round"
        self.folder.mkdir()
        self.source = self.folder / "source"
        capture(["cp", "-a", "--reflink=auto", pristine, self.source])
        self.tools = [tool(self.folder) for tool in tools]
        for tool in self.tools:
            tool.initialize()

    def run(self, check_restored):
        full = [tool for tool in self.tools if not isinstance(tool, Tar)]
        self.step(FIRST, self.tools, lambda tool: tool.backup(self.source))
        self.step(NO_CHANGE, full, lambda tool: tool.backup(self.source))
        mutate(self.source, self.shape)
        self.step(DAY_2, full, lambda tool: tool.backup(self.source))
        for tool in full:
            self.step(RESTORE, [tool], lambda tool: tool.restore())
            if check_restored:
                compare(self.source, tool)
            tool.discard_target()
        self.step(VERIFY, full, lambda tool: tool.verify())
        shutil.rmtree(self.folder)

    def run_first_only(self):
        self.step(FIRST, self.tools, lambda tool: tool.backup(self.source))
        shutil.rmtree(self.folder)

    def step(self, step, tools, action):
        for tool in tools:
            before = tool.repository_bytes()
            if self.cache == "cold":
                make_cold()
            elif step in (RESTORE, VERIFY):
                make_warm(tool.repository)
            else:
                make_warm(self.source, tool.repository)
            cost = action(tool)
            after = tool.repository_bytes()
            sample = Sample(
                wall_seconds=cost.wall_seconds,
                cpu_seconds=cost.cpu_seconds,
                peak_bytes=cost.peak_bytes,
                added_bytes=after - before,
                repository_bytes=after,
            )
            self.results.add(self.cache, step, tool.name, sample)
            say(
                f"  {step:<22} {tool.name:<18} {seconds(sample.wall_seconds):>9}"
                f" {megabytes(sample.peak_bytes):>10} peak {megabytes(sample.added_bytes):>10} added"
            )


# MARK: - What was restored is what was saved


def compare(source, tool):
    """A fast restore that restores something else is no result."""
    databases = [path for path in walk_files(tool.target) if path.endswith("/accounts.db")]
    if len(databases) != 1:
        raise Failure(f"{tool.name} restored {len(databases)} databases instead of one")
    restored = Path(databases[0]).parent
    wanted, got = listing(source / "files"), listing(restored / "files")
    if wanted != got:
        differing = sorted(set(wanted.items()) ^ set(got.items()))[0]
        raise Failure(f"{tool.name} restored a tree that differs, first at {differing}")
    for path, (kind, _, _) in wanted.items():
        here, there = source / "files" / path, restored / "files" / path
        if kind == stat.S_IFREG and not filecmp.cmp(here, there, shallow=False):
            raise Failure(f"{tool.name} restored other bytes in files/{path}")
    if digest(source / "accounts.db") != digest(restored / "accounts.db"):
        raise Failure(f"{tool.name} restored a database with other rows")


def listing(root):
    """Type, permissions and modification time of each path; of links, where they lead."""
    found = {}
    for folder, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            kind = stat.S_IFMT(status.st_mode)
            if kind == stat.S_IFLNK:
                facts = (kind, os.readlink(path), 0)
            else:
                facts = (kind, stat.S_IMODE(status.st_mode), status.st_mtime_ns // 1_000)
            found[os.path.relpath(path, root)] = facts
    return found


def digest(database):
    """The rows, whatever pages they lie in."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    rows = connection.execute(
        "SELECT count(*), sum(id * last_seen_at % 1000003), sum(length(profile) * id % 1000003),"
        " sum(unicode(substr(session_tokens, 7, 1)) * id), max(email) FROM users"
    ).fetchone()
    connection.close()
    return rows


# MARK: - The page


def page(options, results, pristine, shape, caches, load):
    parts = [
        "# Benchmark: backup",
        "Holdfast beside restic and borg on the same generated data, each in turn, in one run of"
        " `Scripts/bench backup`.",
    ]
    if options.small:
        parts.append(
            "**A run with `--small`: it tests the script and says nothing about the tools.**"
        )
    parts.append(
        circumstances(
            pristine,
            versions(options.tools),
            load,
            f"Data: {megabytes(size_of(pristine))} in {shape.files} files and a SQLite database of"
            f" {megabytes((pristine / 'accounts.db').stat().st_size)} with {shape.rows} rows;"
            " day 2: 1 % of the files edited, 2 % of the rows updated",
            f"Medians of {options.rounds}; a warm run finds everything in the page cache, a cold one"
            " nothing; `sync` before each run; the peak is that of the largest process",
        )
    )
    if "cold" not in caches:
        why = "--warm-only was given" if options.warm_only else "dropping the page cache needs root"
        parts.append(f"The cold runs were skipped: {why}.")
    parts += ["## Budgets", budgets(results)]
    for cache in caches:
        parts += [f"## Every figure, {cache} page cache", figures(results, cache)]
    parts += ["## Compression levels", compression_levels(results)]
    return "\n\n".join(parts)


def budgets(results):
    """The rows of the design's section 11, from the warm runs."""

    def wall(step, tool):
        return results.median("warm", step, tool, "wall_seconds")

    def size(step, tool, figure):
        return results.median("warm", step, tool, figure)

    rows = []

    def time_row(step, limit, reference, name):
        ours = wall(step, "holdfast")
        theirs = f"{seconds(reference)} ({name or 'nothing measured'})"
        rows.append(budget_row(step, seconds(ours), theirs, ratio(ours, reference), limit))

    def size_row(what, ours, theirs, limit):
        rows.append(
            budget_row(
                what, megabytes(ours), f"{megabytes(theirs)} (restic)", ratio(ours, theirs), limit
            )
        )

    first_restic = size(FIRST, "restic", "repository_bytes")
    time_row(FIRST, 0.35, wall(FIRST, "restic"), "restic")
    size_row(
        "its repository, `fast`", size(FIRST, "holdfast", "repository_bytes"), first_restic, 1.15
    )
    size_row(
        "its repository, `balanced`",
        size(FIRST, "holdfast balanced", "repository_bytes"),
        first_restic,
        1.0,
    )
    time_row(NO_CHANGE, 0.15, wall(NO_CHANGE, "restic"), "restic")
    time_row(DAY_2, 0.3, wall(DAY_2, "restic"), "restic")
    size_row(
        "bytes it added",
        size(DAY_2, "holdfast", "added_bytes"),
        size(DAY_2, "restic", "added_bytes"),
        0.15,
    )
    time_row(RESTORE, 0.4, *results.fastest("warm", RESTORE, PEERS))
    time_row(VERIFY, 0.4, wall(VERIFY, "restic"), "restic")
    for step in STEPS:
        size_row(
            f"peak memory, {step}",
            size(step, "holdfast", "peak_bytes"),
            size(step, "restic", "peak_bytes"),
            1.0,
        )
    return table(["work", "Holdfast", "reference", "ratio", "budget", ""], rows)


def figures(results, cache):
    rows = []
    for step in STEPS:
        reference = results.median(cache, step, "restic", "wall_seconds")
        for tool in ("holdfast", *PEERS, "tar"):
            wall = results.median(cache, step, tool, "wall_seconds")
            if wall is None:
                continue
            stores = step in (FIRST, NO_CHANGE, DAY_2)
            added = results.median(cache, step, tool, "added_bytes") if stores else None
            total = results.median(cache, step, tool, "repository_bytes") if stores else None
            rows.append(
                [
                    step,
                    tool,
                    seconds(wall),
                    ratio_text(ratio(wall, reference)),
                    seconds(results.median(cache, step, tool, "cpu_seconds")),
                    megabytes(results.median(cache, step, tool, "peak_bytes")),
                    megabytes(added),
                    megabytes(total),
                ]
            )
    header = ["step", "tool", "wall", "× restic", "CPU", "peak memory", "added", "repository"]
    return table(header, rows)


def compression_levels(results):
    reference = results.median("warm", FIRST, "restic", "repository_bytes")
    rows = []
    for tool in ("holdfast", *(level.name for level in LEVELS), *PEERS):
        total = results.median("warm", FIRST, tool, "repository_bytes")
        if total is not None:
            wall = results.median("warm", FIRST, tool, "wall_seconds")
            rows.append(
                [tool, seconds(wall), megabytes(total), ratio_text(ratio(total, reference))]
            )
    return table(["first backup with", "wall", "repository", "× restic's"], rows)
