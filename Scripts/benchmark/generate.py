"""Generates what the benchmarks back up, the same bytes on every machine.

A data set is a folder `files/` and, for the backup benchmark, one SQLite database `accounts.db`.
Everything follows from `SEED` and the sizes asked for; worker processes only share out the work.
Raise `VERSION` with any change to the bytes: it is what tells an old cached data set from a new one.
"""

import itertools
import json
import math
import os
import random
import shutil
import sqlite3
import struct
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

VERSION = 1
SEED = 20_260_101

# The work is cut into this many pieces whatever the number of cores, so that the bytes agree.
PIECES = 64

# 2024-01-01T00:00:00Z; files are dated in the two years before it.
NEWEST_MODIFICATION = 1_704_067_200
TWO_YEARS = 2 * 365 * 86_400


@dataclass(frozen=True)
class BackupShape:
    """How much the backup benchmark's data set holds."""

    files: int
    file_bytes: int
    directories: int
    rows: int

    @staticmethod
    def full():
        return BackupShape(
            files=55_000, file_bytes=1_250_000_000, directories=3_200, rows=1_010_000
        )

    def divided(self, by):
        return BackupShape(
            self.files // by, self.file_bytes // by, self.directories // by, self.rows // by
        )


@dataclass(frozen=True)
class ScaleShape:
    """How many small files the scale benchmark's data set holds."""

    files: int
    per_directory: int = 1000


# MARK: - Cache


def cached(root, name, shape, build):
    """Returns the folder of the data set `name`, building it unless its stamp says it is whole."""
    folder = root / name
    stamp = root / f"{name}.stamp"
    wanted = json.dumps({"version": VERSION, "seed": SEED, **asdict(shape)}, sort_keys=True)
    if stamp.exists() and stamp.read_text() == wanted and folder.is_dir():
        return folder
    stamp.unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    build(folder, shape)
    os.sync()
    stamp.write_text(wanted)
    return folder


def in_parallel(function, arguments):
    """Runs `function(*a)` for each `a`, on all cores; the first failure ends the benchmark."""
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for future in [pool.submit(function, *argument) for argument in arguments]:
            future.result()


# MARK: - Words

CONSONANTS = "bcdfghjklmnprstvwz"
VOWELS = "aeiou"


def make_words(rng, count):
    words = set()
    while len(words) < count:
        syllables = rng.choices((1, 2, 3, 4), weights=(2, 5, 4, 1))[0]
        words.add("".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(syllables)))
    return sorted(words)


def make_phrases(rng, words, count, templates):
    """Phrases from a Markov chain over `words`: each word is followed by one of a few others."""
    frequency = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(words))))
    followers = {word: rng.choices(words, cum_weights=frequency, k=12) for word in words}
    phrases = []
    for _ in range(count):
        word = rng.choices(words, cum_weights=frequency)[0]
        chain = [word]
        for _ in range(5):
            word = rng.choice(followers[word])
            chain.append(word)
        phrases.append(rng.choice(templates).format(*chain, number=rng.randrange(10_000)).encode())
    return phrases


PROSE = (
    "{0} {1} {2} {3} ",
    "{0} {1} the {2}, ",
    "{0} of {1} {2} {3}.\n",
    "{0} and {1} to {2} ",
    "\n\n## {0} {1}\n\n",
    "{0} {1} {2} {3} {4} {5}\n",
)
SOURCE = (
    "    let {0} = {1}.{2}({3})\n",
    "    if ({0}->{1} != {number}) {{\n",
    "        return {0}_{1}({2}, {3});\n    }}\n",
    "    // {0} {1} {2} {3} {4}\n",
    "static int {0}_{1}(struct {2} *{3})\n{{\n",
    "#include <{0}/{1}.h>\n",
    "        {0}[{1}] = {2}->{3};\n",
    '    log_error("{0} {1} {2}: %s", {3});\n',
)
DATA = (
    '{{"{0}": "{1} {2}", "{3}": {number}}},\n',
    "2023-11-{number} INFO {0}.{1}: {2} {3} took {number} ms\n",
    "{0},{1},{2},{number},{number}\n",
    "{0}: {1}\n  {2}: {number}\n",
)


class Content:
    """Makes file bodies; what it draws from is made once, before the workers fork."""

    def __init__(self):
        rng = random.Random(SEED)
        words = make_words(rng, 9_000)
        self.phrases = [
            make_phrases(rng, words, 60_000, templates) for templates in (PROSE, SOURCE, DATA)
        ]
        # A byte table that turns uniform bytes into skewed ones, as machine code has them.
        skewed = []
        for rank, byte in enumerate(rng.sample(range(256), 256)):
            skewed += [byte] * max(1, round(90 / (rank + 1) ** 1.2))
        self.skew = bytes(skewed[:256])
        self.strings = [phrase.strip() + b"\0" for phrase in self.phrases[0][:20_000]]

    def text(self, rng, size):
        """Text or source: what compresses three to four times, as a file draws on few phrases."""
        pool = rng.choice(self.phrases)
        # Heaps' law: the longer a text, the more slowly new phrases appear.
        distinct = max(8, round(2.5 * (size / 30) ** 0.68))
        own = rng.choices(pool, k=distinct)
        chosen = rng.choices(own, k=size // 24 + 8)
        body = b"".join(chosen)
        while len(body) < size:
            body += b"".join(rng.choices(own, k=64))
        return body[:size]

    def binary(self, rng, size):
        """What an executable or an object file looks like: compresses about twice."""
        header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQ", 3, 62, 1, size)
        parts = [header]
        length = len(header)
        while length < size:
            kind = rng.random()
            if kind < 0.62:
                part = rng.randbytes(rng.randrange(400, 4_000)).translate(self.skew)
            elif kind < 0.84:
                base = rng.randrange(1 << 30)
                step = rng.choice((8, 16, 24, 48))
                part = b"".join(
                    struct.pack("<QII", base + step * i, rng.randrange(1 << 12), 7)
                    for i in range(rng.randrange(8, 60))
                )
            elif kind < 0.95:
                part = b"".join(rng.choices(self.strings, k=rng.randrange(10, 60)))
            else:
                part = bytes(rng.randrange(64, 1_500))
            parts.append(part)
            length += len(part)
        return b"".join(parts)[:size]

    def incompressible(self, rng, size):
        """What a photo or an archive looks like."""
        header = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"
        return (header + rng.randbytes(size))[:size]


CONTENT = None


def content():
    global CONTENT
    if CONTENT is None:
        CONTENT = Content()
    return CONTENT


# MARK: - The file tree

SUFFIXES = {
    "text": (".txt", ".md", ".c", ".swift", ".json", ".csv", ".log", ".html"),
    "binary": (".o", ".so", ".bin", ".dat"),
    "incompressible": (".jpg", ".png", ".gz", ".mp4"),
}


@dataclass
class PlannedFile:
    path: str
    kind: str
    size: int
    modified: int


def plan_directories(rng, words, count):
    directories = [""]
    depth = {"": 0}
    while len(directories) < count:
        parent = rng.choice(directories[-400:] if rng.random() < 0.7 else directories)
        if depth[parent] >= 7:
            continue
        path = f"{parent}/{rng.choice(words)}" if parent else rng.choice(words)
        if path not in depth:
            depth[path] = depth[parent] + 1
            directories.append(path)
    return directories


def plan_files(shape):
    """Every file with its size; the sizes are log-normal and add up to `shape.file_bytes`."""
    rng = random.Random(SEED + 1)
    words = make_words(random.Random(SEED), 9_000)
    directories = plan_directories(rng, words, shape.directories)
    # A few directories hold many files, most hold some.
    weight = list(itertools.accumulate(rng.paretovariate(1.6) for _ in directories))
    sizes = [min(rng.lognormvariate(math.log(6_300), 1.6), 24e6) for _ in range(shape.files)]
    factor = shape.file_bytes / sum(sizes)
    files = []
    taken = set()
    # Kinds are dealt so that the share of *bytes* is met even though few large files dominate.
    share = {"text": 0.60, "binary": 0.20, "incompressible": 0.20}
    given = dict.fromkeys(share, 0.0)
    for size in sizes:
        size = int(size * factor)
        if size > 64 * 1024:
            kind = min(share, key=lambda name: given[name] / share[name])
        else:
            kind = rng.choices(("text", "binary", "incompressible"), weights=(75, 12, 13))[0]
        given[kind] += size
        directory = rng.choices(directories, cum_weights=weight)[0]
        while True:
            name = f"{rng.choice(words)}-{rng.randrange(1000)}{rng.choice(SUFFIXES[kind])}"
            path = f"{directory}/{name}" if directory else name
            if path not in taken:
                break
        taken.add(path)
        files.append(PlannedFile(path, kind, size, NEWEST_MODIFICATION - rng.randrange(TWO_YEARS)))
    return directories, files


def write_piece(root, piece, files):
    rng = random.Random(SEED * 1000 + piece)
    bodies = content()
    earlier = []
    for index, file in enumerate(files):
        path = root / file.path
        # Real trees hold the same file in several places: a licence, a vendored source.
        if earlier and file.kind != "incompressible" and rng.random() < 0.05:
            body = rng.choice(earlier)
        else:
            body = getattr(bodies, file.kind)(rng, file.size)
            if len(earlier) < 200 and len(body) < 64 * 1024:
                earlier.append(body)
        path.write_bytes(body)
        if file.kind == "binary" and index % 4 == 0:
            path.chmod(0o755)
        os.utime(path, (file.modified, file.modified))
        if index % 211 == 0:
            os.symlink(path.name, f"{path}.link")
        if index % 401 == 0:
            os.link(path, f"{path}.same")


# MARK: - The database

SCHEMA = """
    CREATE TABLE users(
        id INTEGER PRIMARY KEY,
        email TEXT NOT NULL,
        name TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        session_tokens TEXT NOT NULL,
        profile TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL
    );
"""
BCRYPT = bytes.maketrans(
    bytes(range(256)),
    bytes(
        b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[i % 64]
        for i in range(256)
    ),
)


def session_tokens(rng):
    return ",".join(rng.randbytes(16).hex() for _ in range(1 + (rng.random() < 0.3)))


def biography_phrases(words):
    rng = random.Random(SEED + 5)
    return [" ".join(rng.choices(words[:1_500], k=4)) for _ in range(600)]


def profile(rng, words, phrases, row):
    return json.dumps(
        {
            "locale": ("en_GB", "de_DE", "fr_FR", "sv_SE")[row % 4],
            "theme": "dark" if row % 3 else "light",
            "newsletter": row % 5 == 0,
            "city": words[row * 7 % 4_000],
            "bio": ", ".join(rng.choices(phrases, k=6)),
            "visits": rng.randrange(1, 5_000),
        },
        separators=(",", ":"),
    )


def user_rows(rng, count):
    words = make_words(random.Random(SEED), 9_000)
    phrases = biography_phrases(words)
    for row in range(1, count + 1):
        first, last = words[rng.randrange(3_000)], words[rng.randrange(9_000)]
        created = NEWEST_MODIFICATION - TWO_YEARS + row * TWO_YEARS // count
        yield (
            row,
            f"{first}.{last}{row}@example.org",
            f"{first.title()} {last.title()}",
            "$2b$12$" + rng.randbytes(53).translate(BCRYPT).decode(),
            session_tokens(rng),
            profile(rng, words, phrases, row),
            created,
            created + rng.randrange(1, 5_000_000),
        )


def write_database(path, rows):
    rng = random.Random(SEED + 2)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA page_size=4096")
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute(SCHEMA)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO users VALUES(?,?,?,?,?,?,?,?)", user_rows(rng, rows))
    connection.execute("COMMIT")
    connection.execute("CREATE UNIQUE INDEX users_email ON users(email)")
    connection.execute("PRAGMA journal_mode=WAL")
    checkpoint_and_close(connection)


def checkpoint_and_close(connection):
    busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise RuntimeError("the checkpoint was held up, although nobody else has the database open")
    connection.close()


# MARK: - Data sets


def build_backup_data(folder, shape):
    root = folder / "files"
    directories, files = plan_files(shape)
    for directory in directories:
        (root / directory).mkdir(parents=True, exist_ok=True)
    content()
    pieces = [files[piece::PIECES] for piece in range(PIECES)]
    work = [(write_database, folder / "accounts.db", shape.rows)]
    work += [(write_piece, root, piece, planned) for piece, planned in enumerate(pieces)]
    in_parallel(call, work)


def call(function, *arguments):
    function(*arguments)


def backup_data(root, shape):
    return cached(root, f"backup-{shape.files}", shape, build_backup_data)


def write_small_files(root, first_directory, last_directory, shape):
    rng = random.Random(SEED * 2000 + first_directory)
    phrases = content().phrases[1]
    for directory in range(first_directory, last_directory):
        folder = root / f"{directory // 100:03}" / f"{directory:05}"
        folder.mkdir(parents=True)
        for index in range(min(shape.per_directory, shape.files - directory * shape.per_directory)):
            size = rng.randrange(100, 301)
            body = b"%d %d\n" % (directory, index) + b"".join(rng.choices(phrases, k=12))
            with open(folder / f"{index:04}.txt", "wb", buffering=0) as file:
                file.write(body[:size].ljust(100, b"."))


def build_scale_data(folder, shape):
    root = folder / "files"
    directories = -(-shape.files // shape.per_directory)
    content()
    step = max(1, directories // PIECES)
    in_parallel(
        write_small_files,
        [
            (root, first, min(first + step, directories), shape)
            for first in range(0, directories, step)
        ],
    )


def scale_data(root, shape):
    return cached(root, f"scale-{shape.files}", shape, build_scale_data)


if __name__ == "__main__":
    backup_data(Path(sys.argv[1]), BackupShape.full().divided(int(sys.argv[2])))
