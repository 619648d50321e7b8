"""An ordinary program that uses its database: it registers users, one transaction each.

Its invariant: each transaction adds a row to `users` and to `ledger` and counts both in `totals`,
so in every consistent state the counts agree. It stops at SIGTERM, or after the seconds it is
given, and then writes to a file what it did.

    writer.py serve DATABASE REPORT SECONDS
    writer.py count DATABASE            prints how many users are registered
    writer.py check DATABASE            prints `ok USERS` if the database is whole, else what is wrong
"""

import hashlib
import json
import signal
import sqlite3
import sys
import time

RATE_PER_SECOND = 1_500

SCHEMA = """
    CREATE TABLE IF NOT EXISTS users(
        id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL,
        registered_at REAL NOT NULL
    );
    CREATE TABLE IF NOT EXISTS ledger(user_id INTEGER PRIMARY KEY, credit INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS totals(users INTEGER NOT NULL, credit INTEGER NOT NULL);
    INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM totals);
"""


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def register(connection, number):
    secret = hashlib.sha256(b"%d" % number).hexdigest()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "INSERT INTO users VALUES(?,?,?,?)",
        (number, f"user{number}@example.org", secret, time.time()),
    )
    credit = number * 37 % 1_000
    connection.execute("INSERT INTO ledger VALUES(?,?)", (number, credit))
    connection.execute("UPDATE totals SET users = users + 1, credit = credit + ?", (credit,))
    connection.execute("COMMIT")


def serve(path, report, seconds):
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    connection = connect(path)
    connection.executescript(SCHEMA)
    number = connection.execute("SELECT users FROM totals").fetchone()[0]
    first, longest, began = number, 0.0, time.monotonic()
    while not stopping and time.monotonic() - began < seconds:
        number += 1
        before = time.monotonic()
        register(connection, number)
        longest = max(longest, time.monotonic() - before)
        ahead = (number - first) / RATE_PER_SECOND - (time.monotonic() - began)
        if ahead > 0:
            time.sleep(ahead)
    with open(report, "w") as file:
        json.dump(
            {
                "registered": number - first,
                "seconds": round(time.monotonic() - began, 1),
                "longest_milliseconds": round(longest * 1000, 1),
            },
            file,
        )
    connection.close()


def count(path):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    print(connection.execute("SELECT users FROM totals").fetchone()[0])


def check(path):
    connection = sqlite3.connect(path, timeout=30)
    verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if verdict != "ok":
        sys.exit(f"integrity_check says: {verdict}")
    totals = connection.execute("SELECT users, credit FROM totals").fetchone()
    users = connection.execute("SELECT count(*), max(id) FROM users").fetchone()
    ledger = connection.execute("SELECT count(*), sum(credit) FROM ledger").fetchone()
    if not (users == (totals[0], totals[0]) and ledger == totals):
        sys.exit(f"the invariant is broken: totals {totals}, users {users}, ledger {ledger}")
    print(f"ok {totals[0]}")


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "serve":
        serve(rest[0], rest[1], float(rest[2]))
    elif verb == "count":
        count(rest[0])
    elif verb == "check":
        check(rest[0])
    else:
        sys.exit(f"unknown verb {verb}")
