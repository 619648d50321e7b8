"""Whether memory stays flat and no-change backups quick as the number of files grows."""

import os

from generate import ScaleShape, scale_data
from measure import can_drop_caches, make_cold, make_warm, require_room, say
from report import Results, Sample, circumstances, megabytes, ratio, ratio_text, seconds, table
from tools import Holdfast, Restic, chosen, versions

FIRST, NO_CHANGE, RESTORE, VERIFY = "first backup", "no-change backup", "full restore", "verify"
STEPS = (FIRST, NO_CHANGE, RESTORE, VERIFY)


def run(options, root, folder):
    few, many = (5_000, 50_000) if options.small else (100_000, 1_000_000)
    load = os.getloadavg()[0]
    chosen(options.tools, options.holdfast)
    cold = not options.warm_only and can_drop_caches()
    turns = [(few, Holdfast), (few, Restic), (many, Holdfast)]
    family = {Holdfast: "holdfast", Restic: "restic"}
    turns = [(count, tool) for count, tool in turns if family[tool] in options.tools]
    results = Results()
    # Each file takes a block of 4 KiB, and there is the data and what is restored.
    require_room(
        root, needed_bytes=(few + 2 * many) * 5_000, needed_inodes=few + 2 * many + 100_000
    )
    for count in sorted({count for count, _ in turns}):
        say(f"generating {count} small files, unless they are there already")
        scale_data(root, ScaleShape(count))
    for number in range(1, options.rounds + 1):
        for count, tool in turns:
            say(f"round {number} of {options.rounds}, {count} files")
            one_turn(results, scale_data(root, ScaleShape(count)), tool(folder), count, cold)
    return page(options, results, root, few, many, load, cold)


def one_turn(results, source, tool, count, cold):
    tool.initialize()
    actions = {
        FIRST: lambda: tool.backup(source),
        NO_CHANGE: lambda: tool.backup(source),
        RESTORE: tool.restore,
        VERIFY: tool.verify,
    }

    def take(cache, step):
        before = tool.repository_bytes()
        if cache == "cold":
            make_cold()
        else:
            make_warm(source, tool.repository)
        cost = actions[step]()
        after = tool.repository_bytes()
        sample = Sample(cost.wall_seconds, cost.cpu_seconds, cost.peak_bytes, after - before, after)
        results.add(cache, (step, count), tool.name, sample)
        say(
            f"  {cache} {step:<18} {tool.name:<10} {seconds(cost.wall_seconds):>9}"
            f" {megabytes(cost.peak_bytes):>10} peak"
        )

    for step in STEPS:
        take("warm", step)
    if cold:
        take("cold", NO_CHANGE)
    tool.discard()


def page(options, results, root, few, many, load, cold):
    parts = [
        "# Benchmark: many small files",
        "Holdfast with ten times as many files, and beside restic, in one run of"
        " `Scripts/bench scale`.",
    ]
    if options.small:
        parts.append(
            "**A run with `--small`: it tests the script and says nothing about the tools.**"
        )
    names = [name for name in ("holdfast", "restic") if name in options.tools]
    parts.append(
        circumstances(
            root,
            versions(names),
            load,
            f"Data: {few} and {many} files of 100 to 300 bytes, 1000 a directory",
            f"Medians of {options.rounds}; `sync` before each run; the peak is that of the largest"
            " process",
        )
    )
    rows = []
    for cache, step in [("warm", step) for step in STEPS] + [("cold", NO_CHANGE)] * cold:
        for figure, show in (("wall_seconds", seconds), ("peak_bytes", megabytes)):
            at_few = results.median(cache, (step, few), "holdfast", figure)
            at_many = results.median(cache, (step, many), "holdfast", figure)
            peer = results.median(cache, (step, few), "restic", figure)
            rows.append(
                [
                    f"{step}, {cache}, {'time' if figure == 'wall_seconds' else 'peak memory'}",
                    show(at_few),
                    show(at_many),
                    ratio_text(ratio(at_many, at_few)),
                    show(peer),
                    ratio_text(ratio(at_few, peer)),
                ]
            )
    header = ["", f"holdfast, {few}", f"holdfast, {many}", "many / few", f"restic, {few}", "ratio"]
    parts.append(table(header, rows))
    parts.append("Budgets: peak memory at most restic's (ratio ≤ 1) and flat (many / few near 1).")
    if not cold:
        parts.append("The cold runs were skipped: they need root, and no --warm-only.")
    return "\n\n".join(parts)
