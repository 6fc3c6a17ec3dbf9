"""F10, under load: 50 users on the inbox and intake for a minute, with tracking and without.

Forty agents read the list of the inbox (JSON, 50 of 10,000 submissions) and ten visitors send, at a steady
rate that the server can bear; the two servers take turns, so that both meet the same machine.
"""

import argparse
import os
import secrets
import sqlite3
import statistics
import subprocess
import sys
import threading
from dataclasses import dataclass, field

from benchmarks import bodies, servers
from benchmarks.load import Call, Figures, run
from benchmarks.rounds import heading, timed, verdict
from benchmarks.servers import REPOSITORY, Server, clean_environment

READERS, SENDERS = 40, 10
READS_A_SECOND, SENDS_A_SECOND = 40.0, 10.0
SUBMISSIONS = 10_000
TURN_SECONDS = 10.0
# The project and the columns without a default; the rest is as the first start left it.
FILL = """
with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
insert into feedback_submissions (id, public_id, project_id, category, status, description, has_screenshot,
  has_annotation, screenshot_scale, created_at, updated_at, is_read, is_archived, admin_notes)
select i, printf('%026d', i), (select min(id) from projects), 'bug', 'open', 'Report ' || i, 0, 0, 1.0,
  1700000000000000 + i * 1000000, 1700000000000000 + i * 1000000, i % 2, 0, '' from n
"""


@dataclass
class Side:
    """One server, and the figures of each of its turns."""

    name: str
    server: Server
    read: Call
    send: Call
    reads: list[Figures] = field(default_factory=list)
    sends: list[Figures] = field(default_factory=list)

    def take_turn(self) -> None:
        """Let all users work for one turn."""
        self.server.resume()
        sender = threading.Thread(target=self._sending)
        sender.start()
        self.reads.append(
            run(self.server.port, self.read, TURN_SECONDS, connections=READERS, rate=READS_A_SECOND)
        )
        sender.join()
        self.server.pause()

    def _sending(self) -> None:
        self.sends.append(
            run(self.server.port, self.send, TURN_SECONDS, connections=SENDERS, rate=SENDS_A_SECOND)
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--turns", type=int, default=6, help="turns of ten seconds of each server")
    turns = parser.parse_args().turns
    heading(
        f"F10  {READERS} readers, {SENDERS} senders, {turns * TURN_SECONDS:.0f} s each, tracking on and off"
    )
    with servers.stage() as stage:
        sides = [_side(stage, "on", "true"), _side(stage, "off", "false")]
        for side in sides:
            side.server.pause()
        timed(lambda: _measure(sides, turns))
        _print(sides)


def _side(stage: servers.Stage, name: str, tracking: str) -> Side:
    server = stage.earmark(name, query_tracking=tracking)
    with sqlite3.connect(server.folder / "instance" / "earmark.sqlite3") as connection:
        connection.execute(FILL, [SUBMISSIONS])
        connection.execute("analyze")
    head = (
        "GET /admin/api/feedback?limit=50 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {_token(server)}\r\n\r\n"
    )
    return Side(name, server, Call((head.encode(),), 200), bodies.earmark(servers.project_key(server)))


def _token(server: Server) -> str:
    settings = {"EARMARK_INSTANCE_PATH": str(server.folder / "instance")}
    command = [sys.executable, "-m", "app.cli", "tokens", "create", "--user", "admin@earmark.local"]
    made = subprocess.run(
        [*command, "--role", "viewer", "--name", secrets.token_hex(4)],
        env={**clean_environment(), **settings, "PATH": os.environ["PATH"]},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return next(word for word in made.stdout.split() if word.startswith("em_"))


def _measure(sides: list[Side], turns: int) -> None:
    for number in range(turns + 1):
        for side in sides if number % 2 else sides[::-1]:
            side.take_turn()
    for side in sides:  # the first turn warms up
        del side.reads[0], side.sends[0]


def _print(sides: list[Side]) -> None:
    print(f"\n{'':16}{'reads p50':>12}{'p95':>9}{'p99':>9}{'sends p50':>12}{'p95':>9}{'p99':>9}   ms")
    for side in sides:
        cells = [
            statistics.median(getattr(turn, name) for turn in turns)
            for turns in (side.reads, side.sends)
            for name in ("p50_ms", "p95_ms", "p99_ms")
        ]
        print(
            f"tracking {side.name:7}"
            + "".join(f"{cell:12.2f}"[2 + (n % 3 > 0) :] for n, cell in enumerate(cells))
        )
    print()
    on, off = sides
    for what, mine, theirs in (("reads", on.reads, off.reads), ("sends", on.sends, off.sends)):
        ratios = [a.p95_ms / b.p95_ms for a, b in zip(mine, theirs, strict=True)]
        verdict(f"p95 of {what}, on / off", statistics.median(ratios), 1.05, at_least=False)


if __name__ == "__main__":
    main()
