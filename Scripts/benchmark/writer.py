"""An ordinary program that writes a database: one process, one connection, one row a commit.

    writer.py DB OUTPUT full|normal SECONDS RATE     a RATE of 0: as fast as it goes

Every other commit adds an event of 200 bytes, the others change an account. SQLite's defaults, but
for `synchronous` and a busy timeout of 5 s. It says `ready`, begins when it reads a line, says
`done`, and closes the database when its standard input ends. OUTPUT then holds, for each commit,
when it began and when it had returned, and where it lies in the WAL.
"""

import mmap
import os
import random
import sqlite3
import struct
import sys
import time

# Nanoseconds of CLOCK_MONOTONIC twice, the log's salts as they stand in the file, the last frame.
COMMIT = struct.Struct("<QQ8sI4x")
ACCOUNTS = 20_000
EVENT = 200

SCHEMA = """
    CREATE TABLE accounts(id INTEGER PRIMARY KEY, name TEXT NOT NULL, balance INTEGER NOT NULL);
    CREATE TABLE events(id INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""


def make(path):
    """The database before the first commit."""
    rng = random.Random(7)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(SCHEMA)
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO accounts VALUES(?,?,?)",
        ((row, rng.randbytes(60).hex(), 0) for row in range(1, ACCOUNTS + 1)),
    )
    connection.execute("COMMIT")
    connection.close()


def commits(path):
    """What a writer left in OUTPUT: (began, returned, salts, frame) of each commit."""
    with open(path, "rb") as file:
        return list(COMMIT.iter_unpack(file.read()))


class Writer:
    def __init__(self, path, synchronous):
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        self.connection.execute(f"PRAGMA synchronous={synchronous}")
        self.connection.execute("SELECT count(*) FROM accounts").fetchone()
        # Never closed before SQLite is: closing it would drop SQLite's own locks.
        self.index_file = os.open(f"{path}-shm", os.O_RDONLY)
        self.index = mmap.mmap(self.index_file, 136, prot=mmap.PROT_READ)
        self.rng = random.Random(11)
        self.done = bytearray()

    def run(self, seconds, rate):
        body = "event " * (EVENT // 6)
        began = time.monotonic_ns()
        end = began + int(seconds * 1e9)
        number = 0
        while True:
            if rate:
                wait = began + number * 1_000_000_000 // rate - time.monotonic_ns()
                if wait > 0:
                    time.sleep(wait / 1e9)
            start = time.monotonic_ns()
            if start >= end:
                return
            if number % 2:
                self.connection.execute(
                    "UPDATE accounts SET balance=balance+? WHERE id=?",
                    (number, self.rng.randrange(1, ACCOUNTS + 1)),
                )
            else:
                self.connection.execute(
                    "INSERT INTO events(body) VALUES(?)", (f"{number} {body}",)
                )
            returned = time.monotonic_ns()
            frame, salts = struct.unpack_from("<I", self.index, 16)[0], self.index[32:40]
            self.done += COMMIT.pack(start, returned, salts, frame)
            number += 1


def main():
    path, output, synchronous, seconds, rate = sys.argv[1:]
    writer = Writer(path, synchronous)
    print("ready", flush=True)
    sys.stdin.readline()
    writer.run(float(seconds), int(rate))
    with open(output, "wb") as file:
        file.write(writer.done)
    print("done", flush=True)
    sys.stdin.read()
    writer.connection.close()


if __name__ == "__main__":
    main()
