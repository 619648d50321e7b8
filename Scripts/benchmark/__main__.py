"""The command line of `Scripts/bench`, which builds what is measured and then runs this."""

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import backup
import pitr
import scale
from measure import Failure

PAGES = Path("Sources/holdfast/holdfast.docc")
ALL_TOOLS = ("holdfast", "restic", "borg", "tar")


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def tool_names(text):
    names = text.split(",")
    if unknown := set(names) - set(ALL_TOOLS):
        raise argparse.ArgumentTypeError(f"no such tool: {', '.join(sorted(unknown))}")
    return names


def parse():
    parser = argparse.ArgumentParser(prog="bench", allow_abbrev=False)
    parser.add_argument("part", choices=("backup", "scale", "pitr"))
    parser.add_argument("--rounds", type=positive)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--seconds", type=positive)
    parser.add_argument("--warm-only", action="store_true")
    parser.add_argument("--tools", type=tool_names, default=list(ALL_TOOLS))
    parser.add_argument("--holdfast", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.write and (
        options.small or options.seconds or set(options.tools) != set(ALL_TOOLS)
    ):
        parser.error("--write takes a full run: without --small, --seconds and --tools")
    if "holdfast" in options.tools and not (options.holdfast and options.holdfast.is_file()):
        parser.error(f"there is no binary at {options.holdfast}")
    if options.rounds is None:
        options.rounds = 3 if options.part == "backup" and not options.small else 1
    return options


@contextlib.contextmanager
def scratch():
    """A folder for one run, removed at its end; two runs at once would measure each other."""
    root = Path(os.environ.get("HOLDFAST_BENCH_DIR", "/var/tmp/holdfast-bench")).absolute()
    root.mkdir(parents=True, exist_ok=True)
    with open(root / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"another benchmark is running in {root}") from None
        # What a run that was killed has left; the lock says that nobody uses it.
        for left in root.glob("run-*"):
            shutil.rmtree(left)
        run = Path(tempfile.mkdtemp(prefix="run-", dir=root))
        try:
            yield root, run
        finally:
            shutil.rmtree(run)


def main():
    options = parse()
    # A terminated run cleans up as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    part = {"backup": backup, "scale": scale, "pitr": pitr}[options.part]
    try:
        with scratch() as (root, run):
            page = part.run(options, root, run)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    print(page)
    if options.write:
        path = PAGES / f"Benchmarks-{options.part}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page + "\n")
        print(f"bench: wrote {path}", file=sys.stderr)
    return 0


sys.exit(main())
