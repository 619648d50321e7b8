"""What happens to the backup benchmark's data between its first and its second day."""

import random
import sqlite3

from generate import (
    NEWEST_MODIFICATION,
    SEED,
    biography_phrases,
    checkpoint_and_close,
    content,
    make_words,
    plan_files,
    profile,
    session_tokens,
)


def mutate(folder, shape):
    """Edits 1 % of the files, in place but for a few new and deleted ones, and 2 % of the rows."""
    mutate_files(folder / "files", shape)
    mutate_database(folder / "accounts.db", shape.rows)


def mutate_files(root, shape):
    rng = random.Random(SEED + 3)
    bodies = content()
    _, files = plan_files(shape)
    for file in rng.sample(files, max(8, shape.files // 100)):
        path = root / file.path
        choice = rng.random()
        if choice < 0.55:
            with open(path, "r+b") as handle:
                position = rng.randrange(max(1, file.size))
                handle.seek(position)
                handle.write(
                    bodies.text(rng, min(rng.randrange(20, 600), max(1, file.size - position)))
                )
        elif choice < 0.85:
            with open(path, "ab") as handle:
                handle.write(bodies.text(rng, rng.randrange(40, 4_000)))
        elif choice < 0.93:
            new = path.with_name(f"new-{path.name}")
            new.write_bytes(bodies.text(rng, rng.randrange(500, 20_000)))
        else:
            path.unlink()


def mutate_database(path, rows, after=lambda part: None, finish=checkpoint_and_close):
    rng = random.Random(SEED + 4)
    words = make_words(random.Random(SEED), 9_000)
    phrases = biography_phrases(words)
    chosen = rng.sample(range(1, rows + 1), max(1, rows // 50))
    connection = sqlite3.connect(path, isolation_level=None)
    transactions = 4
    for part in range(transactions):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "UPDATE users SET session_tokens=?, last_seen_at=?, profile=? WHERE id=?",
            (
                (
                    session_tokens(rng),
                    NEWEST_MODIFICATION + row,
                    profile(rng, words, phrases, row),
                    row,
                )
                for row in chosen[part::transactions]
            ),
        )
        connection.execute("COMMIT")
        after(part)
    finish(connection)
