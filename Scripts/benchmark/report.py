"""Medians, ratios and the words around the tables."""

import datetime
import os
import platform
import statistics
from dataclasses import dataclass

from measure import capture


@dataclass(frozen=True)
class Sample:
    """What one run of one step cost; `added_bytes` is by how much the repository grew."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    added_bytes: int
    repository_bytes: int


class Results:
    def __init__(self):
        self.samples = {}

    def add(self, cache, step, tool, sample):
        self.samples.setdefault((cache, step, tool), []).append(sample)

    def median(self, cache, step, tool, figure):
        """The median over the rounds, or None where nothing was measured."""
        samples = self.samples.get((cache, step, tool))
        if not samples:
            return None
        return statistics.median(getattr(sample, figure) for sample in samples)

    def fastest(self, cache, step, tools):
        """The least median wall time among `tools`, with the tool's name."""
        times = [(self.median(cache, step, tool, "wall_seconds"), tool) for tool in tools]
        return min((pair for pair in times if pair[0] is not None), default=(None, None))


def seconds(value):
    return "–" if value is None else f"{value:.2f} s"


def megabytes(value):
    return "–" if value is None else f"{value / 1e6:.1f} MB"


def ratio(value, reference):
    return None if value is None or not reference else value / reference


def ratio_text(value):
    return "–" if value is None else f"{value:.2f}"


def budget_row(what, holdfast, reference, measured, limit):
    """A row that puts a ratio beside its budget."""
    verdict = "–" if measured is None else "met" if measured <= limit else "**missed**"
    return [what, holdfast, reference, ratio_text(measured), f"≤ {limit:g}", verdict]


def table(header, rows):
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine():
    described = dict(line.split(":", 1) for line in capture(["lscpu"]).splitlines() if ":" in line)
    with open("/proc/meminfo") as file:
        kilobytes = int(file.readline().split()[1])
    return (
        f"{described.get('Model name', 'unknown processor').strip()}, {os.cpu_count()} cores, "
        f"{kilobytes / 1024 / 1024:.0f} GiB of memory, Linux {platform.release()}"
    )


def circumstances(folder, versions, load, *lines):
    """Where, when and with what it was measured, as a list."""
    kind = capture(["stat", "-f", "-c", "%T", folder])
    facts = [
        f"Date: {datetime.date.today().isoformat()}",
        f"Machine: {machine()}; data and repositories on {kind}; load average at the start {load:.2f}",
        "Versions: " + "; ".join(version.splitlines()[0] for version in versions),
        *lines,
    ]
    return "\n".join(f"- {fact}" for fact in facts)
