"""SQLite's own expert program (ext/expert of its sources), where the extra `advice` has brought it.

It runs as a process of its own on a copy of schema and statistics: never are two SQLite libraries on one file
in one process. Its candidates are tried like ours; what it cannot read it leaves out.
"""

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.database.advice.candidates import Candidate
from app.database.engine import sqlite
from app.database.plans.catalog import Catalog

TIMEOUT_SECONDS = 3.0
CPU_SECONDS = 2
MEMORY_BYTES = 400 * 1024**2
MOST_STATEMENTS = 40
# A child that limits itself and then becomes the program; a hook before `exec` is unsafe beside threads.
_LIMITED = (
    "import os, resource, sys;"
    f"resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}));"
    f"resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES}, {MEMORY_BYTES}));"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
_CREATE = re.compile(r"^CREATE INDEX \S+ ON (\"(?:[^\"]|\"\")+\"|'[^']+'|\w+)\((.*)\);$", re.MULTILINE)
_COLUMN = re.compile(r"^(\"(?:[^\"]|\"\")+\"|\w+)( DESC)?$")


def expert_program() -> Path | None:
    """Return where the program is, or None where the extra is not installed."""
    found = importlib.util.find_spec("apsw")  # found, not imported: that would load a second SQLite
    if found is None or found.origin is None:
        return None
    program = Path(found.origin).parent / "sqlite_extra_binaries" / "sqlite3_expert"
    return program if program.is_file() else None


def expert_candidates(
    copy: sqlite.Connection, statements: Sequence[str], catalog: Catalog
) -> list[Candidate]:
    """Ask the program for indexes; `copy` holds schema and statistics. Nothing where it is not installed.

    A program that fails or takes too long has nothing to say, too.
    """
    program = expert_program()
    if program is None or not statements:
        return []
    with tempfile.TemporaryDirectory(prefix="advice-") as folder:
        file = Path(folder, "copy.sqlite3")
        target = sqlite.connect(file)
        try:
            copy.backup(target)
        finally:
            target.close()
        asked = [part for sql in statements[:MOST_STATEMENTS] for part in ("-sql", sql)]
        said = _run([str(program), "-sample", "0", *asked, str(file)])
    return list(_read(said, catalog))


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _LIMITED, *command],
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):  # ValueError: a NUL in a statement
        return ""
    return done.stdout.decode("utf-8", "replace")


def _read(said: str, catalog: Catalog) -> Iterable[Candidate]:
    for table, listed in _CREATE.findall(said):
        name = _plain(table)
        parts = [_COLUMN.match(part.strip()) for part in listed.split(",")]
        if name not in catalog or None in parts:
            continue
        columns = [(_plain(part[1]), bool(part[2])) for part in parts if part]
        if {column for column, _ in columns} <= set(catalog[name].columns):
            yield Candidate(name, _upwards(columns), rowid=catalog[name].rowid, source="expert")


def _upwards(columns: list[tuple[str, bool]]) -> tuple[tuple[str, bool], ...]:
    """Turn an order that only descends at its end: an index is read backwards as well."""
    downs = [down for _, down in columns]
    first = downs.index(True) if True in downs else len(downs)
    turned = all(downs[first:])
    return tuple((name, down and not turned) for name, down in columns)


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name[:1] in ('"', "'") else name
