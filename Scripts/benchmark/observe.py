"""Watches from outside how far a capture has come, without asking it and without polling."""

import bisect
import ctypes
import os
import select
import struct
import threading
import time

IN_MODIFY, IN_MOVED_TO, IN_CREATE, IN_CLOSE_WRITE = 0x2, 0x80, 0x100, 0x8
EVENT = struct.Struct("iIII")
LIBC = ctypes.CDLL(None, use_errno=True)


class Observer(threading.Thread):
    """Calls `look(name)` for each notice from a folder; notes what it answers, and when.

    `look` answers the salts of a WAL and the frame up to which it is captured, or None.
    """

    def __init__(self, folder, mask, look):
        super().__init__(daemon=True)
        self.look = look
        self.seen = []
        self.descriptor = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if LIBC.inotify_add_watch(self.descriptor, os.fsencode(folder), mask) < 0:
            raise OSError(ctypes.get_errno(), f"cannot watch {folder}")
        self.ending = False
        self.start()

    def run(self):
        while not self.ending:
            if not select.select([self.descriptor], [], [], 0.1)[0]:
                continue
            for name in dict.fromkeys(self.names(os.read(self.descriptor, 1 << 16))):
                place = self.look(name)
                if place:
                    self.seen.append((time.monotonic_ns(), *place))

    @staticmethod
    def names(events):
        at = 0
        while at < len(events):
            length = EVENT.unpack_from(events, at)[3]
            at += EVENT.size
            yield events[at : at + length].rstrip(b"\0").decode()
            at += length

    def end(self):
        self.ending = True
        self.join()
        os.close(self.descriptor)


class Sampler(threading.Thread):
    """The largest size of a file while something runs."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.peak = 0
        self.ending = threading.Event()
        self.start()

    def run(self):
        while not self.ending.wait(0.02):
            try:
                self.peak = max(self.peak, os.stat(self.path).st_size)
            except FileNotFoundError:
                continue

    def end(self):
        self.ending.set()
        self.join()
        return self.peak


class Commits:
    """The commits of a writer, and which of them a place in the WAL covers."""

    def __init__(self, commits):
        self.commits = commits
        self.logs = {}
        for index, (_, _, salts, frame) in enumerate(commits):
            self.logs.setdefault(salts, (index, []))[1].append(frame)

    def covered(self, salts, frame):
        """How many commits lie at or before a frame; 0 where the log is not the writer's."""
        if salts not in self.logs:
            return 0
        first, frames = self.logs[salts]
        return first + bisect.bisect_right(frames, frame)

    def lags(self, arrivals):
        """Seconds from the return of each commit to the first of `arrivals` that covers it.

        `arrivals` are (nanoseconds, number of commits) in the order of time. A commit that none
        covers is left out.
        """
        lags = []
        for when, count in arrivals:
            for commit in self.commits[len(lags) : count]:
                lags.append((when - commit[1]) / 1e9)
        return lags

    @property
    def rate(self):
        return len(self.commits) / ((self.commits[-1][1] - self.commits[0][0]) / 1e9)

    @property
    def longest(self):
        return max(returned - began for began, returned, _, _ in self.commits) / 1e9


def percentile(values, share):
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Usage:
    """What a running process uses."""

    def __init__(self, pid):
        self.pid = pid

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, key):
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(key)) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
