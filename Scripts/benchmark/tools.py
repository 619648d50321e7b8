"""The measured tools, each with the same five verbs and a repository, cache and password its own."""

import shutil
from pathlib import Path

from measure import capture, environment, measure, size_of

PASSWORD = "correct horse battery staple"


class Tool:
    """A tool with a fresh repository under `folder`; the verbs return what the command cost."""

    name = ""

    def __init__(self, folder):
        self.folder = folder / self.name.replace(" ", "-").replace(",", "-")
        self.repository = self.folder / "repository"
        self.cache = self.folder / "cache"
        self.password_file = self.folder / "password"
        self.target = self.folder / "restored"
        self.folder.mkdir(parents=True)
        self.cache.mkdir()
        self.password_file.write_text(PASSWORD + "\n")
        self.env = environment(self.folder)

    def run(self, *command, cwd=None):
        return measure(command, self.env, cwd or self.folder)

    def repository_bytes(self):
        return size_of(self.repository)

    def fresh_target(self):
        self.discard_target()
        self.target.mkdir()
        return self.target

    def discard_target(self):
        if self.target.exists():
            shutil.rmtree(self.target)

    def discard(self):
        shutil.rmtree(self.folder)


class Holdfast(Tool):
    name = "holdfast"
    binary = Path("holdfast")
    compression = None

    def __init__(self, folder):
        super().__init__(folder)
        self.env["HOLDFAST_CACHE_DIR"] = str(self.cache)
        self.access = ("-r", self.repository, "--password-file", self.password_file)

    @classmethod
    def version(cls):
        return capture([cls.binary, "--version"])

    def initialize(self):
        return self.run(self.binary, "init", *self.access)

    def backup(self, source):
        level = ("--compression", self.compression) if self.compression else ()
        return self.run(self.binary, "backup", *self.access, *level, source)

    def restore(self):
        return self.run(self.binary, "restore", "latest", *self.access, "-t", self.fresh_target())

    def verify(self):
        return self.run(self.binary, "verify", *self.access, "--read-data")


class HoldfastBalanced(Holdfast):
    name = "holdfast balanced"
    compression = "balanced"


class HoldfastMax(Holdfast):
    name = "holdfast max"
    compression = "max"


class Restic(Tool):
    name = "restic"

    def __init__(self, folder):
        super().__init__(folder)
        self.env["RESTIC_CACHE_DIR"] = str(self.cache)
        self.access = ("-r", self.repository, "--password-file", self.password_file)

    @classmethod
    def version(cls):
        return capture(["restic", "version"])

    def initialize(self):
        return self.run("restic", "init", *self.access, "--repository-version", "2")

    def backup(self, source):
        return self.run("restic", "backup", *self.access, source)

    def restore(self):
        return self.run(
            "restic", "restore", "latest", *self.access, "--target", self.fresh_target()
        )

    def verify(self):
        return self.run("restic", "check", *self.access, "--read-data")


class Borg(Tool):
    name = "borg zlib,1"
    compression = "zlib,1"

    def __init__(self, folder):
        super().__init__(folder)
        self.env["BORG_BASE_DIR"] = str(self.cache)
        self.env["BORG_PASSPHRASE"] = PASSWORD
        self.archives = 0

    @classmethod
    def version(cls):
        return capture(["borg", "--version"])

    def initialize(self):
        return self.run("borg", "init", "--encryption", "repokey-blake2", self.repository)

    def backup(self, source):
        self.archives += 1
        archive = f"{self.repository}::{self.archives}"
        return self.run("borg", "create", "--compression", self.compression, archive, source)

    def restore(self):
        archive = f"{self.repository}::{self.archives}"
        return self.run("borg", "extract", archive, cwd=self.fresh_target())

    def verify(self):
        return self.run("borg", "check", "--verify-data", self.repository)


class BorgLZ4(Borg):
    name = "borg lz4"
    compression = "lz4"


class Tar(Tool):
    """The reference: one file, nothing compressed, sealed or deduplicated."""

    name = "tar"

    @classmethod
    def version(cls):
        return capture(["tar", "--version"]).splitlines()[0]

    def initialize(self):
        self.repository.mkdir()

    def backup(self, source):
        return self.run("tar", "-cf", self.repository / "archive.tar", "-C", source, ".")


FAMILIES = {"holdfast": (Holdfast,), "restic": (Restic,), "borg": (Borg, BorgLZ4), "tar": (Tar,)}


def chosen(names, binary):
    """The tools to measure, in the order in which they take turns."""
    if binary:
        Holdfast.binary = binary.absolute()
    return [tool for family in FAMILIES if family in names for tool in FAMILIES[family]]


def versions(names):
    return [FAMILIES[family][0].version() for family in FAMILIES if family in names]
