"""F6: `GET /admin/api/feedback` of 100 rows beside Datasette's JSON page of the same table, uncounted.

Both read the same rows, and answer the newest first. Earmark asks its token and its rights, joins project,
picture and assignee, and tracks its statements; Datasette answers the table's own columns.
"""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from app.database.engine import sqlite
from benchmarks import filled, peers, servers
from benchmarks.load import Call
from benchmarks.rounds import Target, heading, interleave, ratio, table, timed, verdict

DATASETTE = ("datasette==0.65.*",)
LIMIT = 100
SECONDS = 5.0
CONNECTIONS = 4
GOAL = 4.0


def main() -> None:
    """Measure and print."""
    chosen = filled.options(str(__doc__), 3)

    def work() -> None:
        heading(f"F6  a page of {LIMIT} submissions as JSON, {CONNECTIONS} connections: Earmark, Datasette")
        with filled.instance(chosen) as (folder, _), servers.stage() as stage:
            _measure(stage, folder, chosen.rounds)

    timed(work)


def _measure(stage: servers.Stage, folder: Path, rounds: int) -> None:
    earmark = stage.earmark("Earmark", instance_path=str(folder))
    headers = f"Authorization: Bearer {_token(folder)}\r\n"
    ours = Target("Earmark", earmark, _get(f"/admin/api/feedback?limit={LIMIT}", headers), CONNECTIONS)
    theirs = Target("Datasette", *_datasette(stage, folder / "earmark.sqlite3"), CONNECTIONS)
    interleave([ours, theirs], rounds, SECONDS)
    table([ours, theirs])
    verdict("answers a second, Earmark / Datasette", ratio(ours, theirs), GOAL)


def _datasette(stage: servers.Stage, file: Path) -> tuple[servers.Server, Call]:
    """Start Datasette on a copy of Earmark's file, and return it with the request of the newest page."""
    programs = peers.environment("datasette", DATASETTE)
    server = stage.place("Datasette")
    copy = server.folder / file.name
    with closing(sqlite.connect(str(file))) as connection:
        connection.execute("vacuum into ?", (str(copy),))
    with closing(sqlite.connect(str(copy))) as connection:
        connection.execute("drop table feedback_fts")  # the system's SQLite may not know its options
    listening = ("--host", "127.0.0.1", "--port", str(server.port))
    server.start([programs / "datasette", "serve", copy, *listening], {}, cwd=server.folder)
    query = f"_nocount=1&_nofacet=1&_sort_desc=created_at&_size={LIMIT}"
    return server, _get(f"/{file.stem}/feedback_submissions.json?{query}")


def _get(address: str, headers: str = "") -> Call:
    return Call((f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode(),), 200)


def _token(folder: Path) -> str:
    user = filled.email_of(filled.AGENTS[0])
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "tokens",
        "create",
        "--user",
        user,
        "--role",
        "viewer",
        "--json",
    ]
    environment = {**servers.clean_environment(), "EARMARK_INSTANCE_PATH": str(folder)}
    done = subprocess.run(
        command, env=environment, cwd=servers.REPOSITORY, capture_output=True, text=True, check=True
    )
    return str(json.loads(done.stdout)["token"])


if __name__ == "__main__":
    main()
