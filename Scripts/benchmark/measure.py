"""Runs one command and says what it cost; and puts the page cache in a known state before."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


class Failure(Exception):
    """Ends the benchmark with its message."""


@dataclass(frozen=True)
class Cost:
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def say(text):
    print(text, file=sys.stderr, flush=True)


def environment(run):
    """What every tool sees of the environment: nothing of the caller's but the path."""
    return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(run), "LANG": "C.UTF-8"}


def measure(command, env, cwd):
    """Runs `command` to its end; a nonzero exit is a `Failure` that shows its standard error.

    The peak is that of the largest single process among the command and those it waited for.
    It comes from /usr/bin/time, a small process: a child of this one would start out with this
    one's own peak, as Linux carries it through exec.
    """
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder) / "memory"
        errors = Path(folder) / "errors"
        output = Path(folder) / "output"
        timed = ["/usr/bin/time", "--quiet", "-f", "%M", "-o", str(memory), *map(str, command)]
        with open(errors, "wb") as stderr, open(output, "wb") as stdout:
            began = time.perf_counter()
            process = subprocess.Popen(
                timed,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                # The session is the command's own, so this reaches it and what it started only.
                os.killpg(process.pid, signal.SIGKILL)
                os.wait4(process.pid, 0)
                process.returncode = -signal.SIGKILL
                raise
            wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said = errors.read_text(errors="replace").strip()
            said = (
                said or output.read_text(errors="replace").strip()[-4_000:] or "(it said nothing)"
            )
            raise Failure(f"`{' '.join(map(str, command))}` exited {process.returncode}:\n{said}")
        return Cost(
            wall_seconds=wall,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_bytes=int(memory.read_text().split()[-1]) * 1024,
        )


def capture(command):
    """The output of a command that is not measured."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"`{' '.join(map(str, command))}` exited {done.returncode}:\n{done.stderr}")
    return done.stdout.strip()


def require_room(folder, needed_bytes, needed_inodes):
    """A full disk halfway through would cost an hour; it is refused at the start."""
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    if free < needed_bytes:
        raise Failure(
            f"{folder} has {free / 1e9:.1f} GB free and this needs {needed_bytes / 1e9:.1f} GB;"
            " HOLDFAST_BENCH_DIR names another place"
        )
    # Some file systems make inodes as they need them and say 0.
    if room.f_files and room.f_favail < needed_inodes:
        raise Failure(
            f"{folder} has {room.f_favail} inodes free and this needs {needed_inodes};"
            " HOLDFAST_BENCH_DIR names another place"
        )


def can_drop_caches():
    return os.access("/proc/sys/vm/drop_caches", os.W_OK)


def make_cold():
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def make_warm(*folders):
    """Reads everything once, so that every tool finds names, inodes and bytes in the page cache."""
    buffer = bytearray(1 << 20)
    for folder in folders:
        for path in walk_files(folder):
            with open(path, "rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass
    os.sync()


def walk_files(folder):
    """Every regular file below `folder`."""
    pending = [str(folder)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry.path


def size_of(folder):
    """The apparent sizes of all files below `folder`, added up."""
    return sum(os.stat(path, follow_symlinks=False).st_size for path in walk_files(folder))
