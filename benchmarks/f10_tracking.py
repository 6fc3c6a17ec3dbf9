"""F10: what tracking costs a statement, beside bare SQLAlchemy Core and other ways to watch it.

A select of one row by its key on a file of SQLite, everything fetched, at 1, 8 and 16 threads. Each way has
an engine of its own on the same file, and they take turns in every round. Ours runs with its
collector, so what adding up and writing take is in the figure.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    event,
    select,
)

from app.database.engine import engine_options, prepare
from app.database.tracking.scope import origin
from app.database.tracking.tables import define_tables
from app.database.tracking.tracker import track
from app.database.tracking.watch import Watcher
from app.database.transactions import begin_write, writing_connection
from benchmarks.peers import environment
from benchmarks.rounds import heading, timed, verdict

OPENTELEMETRY = ("opentelemetry-instrumentation-sqlalchemy==0.66b1", "opentelemetry-sdk")
ROWS = 1000
THREADS = (1, 8, 16)
METADATA = MetaData()
TABLE = Table("entries", METADATA, Column("id", Integer, primary_key=True), Column("name", String))
QUERY = select(TABLE.c.name).where(TABLE.c.id == bindparam("wanted"))
STATISTICS = define_tables(METADATA)


@dataclass
class Way:
    """One way to watch an engine, and the microseconds a statement took with it, a figure a round."""

    name: str
    engine: Engine
    microseconds: dict[int, list[float]] = field(default_factory=dict)

    def median(self, threads: int) -> float:
        """Return the median over the rounds."""
        return statistics.median(self.microseconds[threads])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--statements", type=int, default=10_000, help="statements a thread and round")
    arguments = parser.parse_args()
    heading("F10  tracking, microseconds a statement (wall time, all threads together)")
    with tempfile.TemporaryDirectory() as folder:
        ways = _ways(Path(folder) / "bench.sqlite3")
        timed(lambda: _measure(ways, arguments.rounds, arguments.statements))
        _print(ways)


def _ways(file: Path) -> list[Way]:
    bare = _engine(file)
    METADATA.create_all(bare)
    with writing_connection(bare) as connection, begin_write(connection):
        connection.execute(TABLE.insert(), [{"id": n, "name": f"name {n}"} for n in range(ROWS)])
    makers: dict[str, Callable[[Engine], None]] = {
        "bare SQLAlchemy Core": lambda _engine: None,
        "Earmark's tracking": _tracked,
        "event listeners that do nothing": _listened,
        "Flask-SQLAlchemy's recorder": _recorded,
        "OpenTelemetry": _instrumented,
    }
    ways = []
    for name, install in makers.items():
        way = Way(name, _engine(file))
        install(way.engine)
        ways.append(way)
    return ways


def _engine(file: Path) -> Engine:
    engine = create_engine(f"sqlite:///{file}", **engine_options("sqlite:///"))
    prepare(engine)
    return engine


def _tracked(engine: Engine) -> None:
    watcher = Watcher(engine, STATISTICS, root=str(Path(__file__).parent))
    track(engine, watcher.tracker)
    watcher.tracking = True
    watcher.start("command")


def _listened(engine: Engine) -> None:
    event.listen(engine, "before_cursor_execute", lambda *_: None)
    event.listen(engine, "after_cursor_execute", lambda *_: None)


def _recorded(engine: Engine) -> None:
    from flask_sqlalchemy.record_queries import _listen

    _listen(engine)


def _instrumented(engine: Engine) -> None:
    programs = environment("opentelemetry", OPENTELEMETRY)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path.append(str(programs.parent / "lib" / version / "site-packages"))
    from opentelemetry import trace  # type: ignore[import-not-found]
    from opentelemetry.instrumentation.sqlalchemy import (  # type: ignore[import-not-found]
        SQLAlchemyInstrumentor,
    )
    from opentelemetry.sdk.trace import TracerProvider  # type: ignore[import-not-found]

    trace.set_tracer_provider(TracerProvider())
    # It refuses SQLAlchemy 2.1 by its version alone.
    SQLAlchemyInstrumentor().instrument(engine=engine, skip_dep_check=True)


def _measure(ways: list[Way], rounds: int, statements: int) -> None:
    for number in range(rounds + 1):
        for threads in THREADS:
            first = number % len(ways)
            for way in (*ways[first:], *ways[:first]):
                taken = _round(way.engine, threads, statements // threads)
                if number:  # the first warms up
                    way.microseconds.setdefault(threads, []).append(taken)


def _round(engine: Engine, threads: int, statements: int) -> float:
    """Return the wall time of all statements over their number, in microseconds."""
    ready = threading.Barrier(threads + 1)

    def work() -> None:
        # As in a request: an application context, which Flask-SQLAlchemy's recorder wants, and a scope.
        with Flask(__name__).app_context(), engine.connect() as connection, origin("GET /bench"):
            connection.execute(QUERY, {"wanted": 1}).all()
            ready.wait()
            for n in range(statements):
                connection.execute(QUERY, {"wanted": n % ROWS}).all()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    ready.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    return (time.perf_counter() - began) / (threads * statements) * 1e6


def _print(ways: list[Way]) -> None:
    print(f"\n{'':34}" + "".join(f"{f'{threads} thread' + 's' * (threads > 1):>22}" for threads in THREADS))
    bare = ways[0]
    for way in ways:
        cells = [
            f"{way.median(threads):9.1f} ({way.median(threads) - bare.median(threads):+6.1f})    "
            for threads in THREADS
        ]
        print(f"{way.name:34}" + "".join(f"{cell:>22}" for cell in cells))
    print()
    ours, opentelemetry = ways[1], ways[-1]
    for threads in THREADS:
        more = ours.median(threads) - bare.median(threads)
        theirs = opentelemetry.median(threads) - bare.median(threads)
        print(f"{threads} thread(s):")
        verdict("  µs more than bare Core", more, 3.0, at_least=False)
        verdict("  times bare Core", ours.median(threads) / bare.median(threads), 1.15, at_least=False)
        verdict("  of what OpenTelemetry adds", more / theirs, 1 / 15, at_least=False)


if __name__ == "__main__":
    main()
