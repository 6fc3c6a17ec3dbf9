"""Writes a process's sums, slow log and gauges down, in one short transaction every ten seconds."""

import logging
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.dml import UpdateBase

from app.clock import utc_now
from app.database.plans.plan import Plan
from app.database.prepared import Prepared
from app.database.tracking.fingerprints import Fingerprint
from app.database.tracking.scope import ignored
from app.database.tracking.sums import Window
from app.database.tracking.tables import HOUR, MINUTE, StatisticsTables
from app.database.tracking.tracker import Record, Running
from app.database.transactions import begin_write, writing_connection

log = logging.getLogger("earmark.database")

MINUTES_KEPT = timedelta(days=1)
HOURS_KEPT = timedelta(days=31)
SLOW_KEPT = 10_000
SAMPLES_KEPT = timedelta(days=400)  # a year's growth, and the month before it
# A plan is asked for once in this time for each fingerprint.
PLAN_AGE = timedelta(minutes=10)
MOST_PLANS = 500
_READS_OR_WRITES = re.compile(r"\s*(select|with|insert|update|delete)\b", re.IGNORECASE)
# What may be ended is looked for only when something runs for longer than this.
LONG_SECONDS = 1.0


@dataclass(frozen=True)
class SlowRun:
    """One run for the slow log. It holds no values: the text has placeholders only."""

    fingerprint: str
    text: str
    created_at: datetime
    origin: str
    request_id: str | None
    line: str
    duration_us: int
    rows: int
    error: str | None

    @staticmethod
    def of(record: Record, found: Fingerprint, now: datetime) -> "SlowRun":
        """Make the entry of a record."""
        return SlowRun(
            found.hash,
            found.text,
            now,
            record.scope.origin,
            record.scope.request_id,
            record.line,
            round(record.seconds * 1e6),
            record.rows,
            record.error,
        )


class StatisticsWriter:
    """Writes for one process; `worker` is its name in every row."""

    def __init__(self, engine: Engine, tables: StatisticsTables, explain: Any = None) -> None:
        """`explain(connection, sql) -> Plan` reads a slow statement's plan."""
        self._engine = engine
        self._tables = tables
        self._explain = explain
        self._texts: dict[str, str] = {}
        self._new_texts: dict[str, str] = {}
        self._plans: dict[str, tuple[datetime, Plan | None]] = {}
        self._upserts = {
            table.name: _upsert(table) for table in (tables.statements, tables.requests, tables.browser)
        }
        self._add_text = _insert_missing(tables.texts)
        self.introduce("command")

    def introduce(self, kind: str) -> None:
        """Take a name of this process's own; `kind` says what it is: web, worker or command."""
        self.worker = secrets.token_hex(8)
        self.kind = kind
        self.started_at = utc_now()

    def learn(self, found: Fingerprint) -> None:
        """Remember a fingerprint's text until it is written."""
        if found.hash not in self._texts:
            self._texts[found.hash] = self._new_texts[found.hash] = found.text

    def is_transaction(self, fingerprint: str) -> bool:
        """Tell whether a fingerprint is no statement on data (BEGIN, COMMIT, PRAGMA): such may repeat."""
        return not _READS_OR_WRITES.match(self._texts.get(fingerprint, ""))

    def write(
        self,
        windows: Mapping[tuple[int, datetime], Window],
        slow: Sequence[SlowRun],
        gauges: Mapping[str, Any],
        now: datetime,
    ) -> bool:
        """Write all in one transaction; False when the database did not take it."""
        texts = dict(self._new_texts)
        with ignored():
            try:
                plans = self._plans_of(slow, now)
                with writing_connection(self._engine) as connection, begin_write(connection):
                    self._write_all(connection, windows, texts)
                    self._write_slow(connection, slow, plans)
                    self._write_process(connection, gauges, now)
            except SQLAlchemyError as error:
                log.debug("statistics were not written", exc_info=error)
                return False
        for fingerprint in texts:
            self._new_texts.pop(fingerprint, None)
        return True

    def end_wanted(self, running: Sequence[Running]) -> None:
        """End the statement of this process that somebody asked to end, while one runs for long."""
        if not running or running[0].seconds < LONG_SECONDS:
            return
        table = self._tables.processes
        with ignored(), self._engine.connect() as connection:
            wish = connection.execute(
                select(table.c.end_statement).where(table.c.worker == self.worker)
            ).scalar()
        for one in running:
            if wish is not None and statement_id(one) == wish:
                _end(one.connection)
        if wish is not None:
            self._clear_wish()

    def _clear_wish(self) -> None:
        table = self._tables.processes
        forget = update(table).where(table.c.worker == self.worker).values(end_statement=None)
        with ignored(), writing_connection(self._engine) as connection, begin_write(connection):
            connection.execute(forget)

    def _write_all(
        self,
        connection: Connection,
        windows: Mapping[tuple[int, datetime], Window],
        texts: Mapping[str, str],
    ) -> None:
        if texts:
            rows = [{"fingerprint": key, "text": text} for key, text in texts.items()]
            self._add_text.run(connection, rows)
        for (seconds, start), window in windows.items():
            shared = {
                "seconds": seconds,
                "start": start,
                "worker": self.worker,
                "last_seen": window.last_seen,
            }
            sums: dict[str, list[dict[str, Any]]] = {
                self._tables.statements.name: [
                    shared | {"fingerprint": key} | one.values() for key, one in window.statements.items()
                ],
                self._tables.requests.name: [
                    shared | {"route": key} | one.values() for key, one in window.routes.items()
                ],
                self._tables.browser.name: [
                    shared | {"page": page, "metric": metric} | one.values()
                    for (page, metric), one in window.browser.items()
                ],
            }
            for name, rows in sums.items():
                if rows:
                    self._upserts[name].run(connection, rows)

    def _write_slow(
        self, connection: Connection, slow: Sequence[SlowRun], plans: Mapping[str, Plan | None]
    ) -> None:
        if not slow:
            return
        rows = []
        for run in slow:
            plan = plans.get(run.fingerprint)
            rows.append(vars(run) | {"plan": plan.as_json() if plan else None})
        connection.execute(self._tables.slow.insert(), rows)

    def _write_process(self, connection: Connection, gauges: Mapping[str, Any], now: datetime) -> None:
        table = self._tables.processes
        row = {
            "worker": self.worker,
            "kind": self.kind,
            "pid": os.getpid(),
            "started_at": self.started_at,
            "seen_at": now,
            "gauges": dict(gauges),
        }
        changed = update(table).where(table.c.worker == self.worker)
        if not connection.execute(changed.values(seen_at=now, gauges=row["gauges"])).rowcount:
            connection.execute(table.insert(), row)

    def _plans_of(self, slow: Sequence[SlowRun], now: datetime) -> dict[str, Plan | None]:
        """Return the plans of slow statements: explained, never run again."""
        found: dict[str, Plan | None] = {}
        for run in {run.fingerprint: run for run in slow}.values():
            known = self._plans.get(run.fingerprint)
            if known is None or now - known[0] > PLAN_AGE:
                if len(self._plans) >= MOST_PLANS:
                    self._plans.clear()
                known = self._plans[run.fingerprint] = (now, self._plan_of(run))
            found[run.fingerprint] = known[1]
        return found

    def _plan_of(self, run: SlowRun) -> Plan | None:
        if self._explain is None or not _READS_OR_WRITES.match(run.text):
            return None
        try:
            with self._engine.connect() as connection:
                plan: Plan = self._explain(connection, run.text)
                return plan
        except Exception as error:  # a plan is an extra: whatever keeps it away must not cost the entry
            log.debug("no plan", exc_info=error)
            return None


def _end(connection: Any) -> None:
    cancel = getattr(connection, "cancel_safe", None) or connection.interrupt  # psycopg, SQLite
    cancel()


def statement_id(running: Running) -> str:
    """Return the name of one run of a statement, within its process."""
    return f"{id(running.connection):x}-{int(running.started * 1e6):x}"


def prune(engine: Engine, tables: StatisticsTables, now: datetime) -> None:
    """Delete what is past its time: minutes after a day, hours after a month, the slow log beyond 10,000."""
    with ignored(), writing_connection(engine) as connection, begin_write(connection):
        for table in (tables.statements, tables.requests, tables.browser):
            for seconds, kept in ((MINUTE, MINUTES_KEPT), (HOUR, HOURS_KEPT)):
                old = (table.c.seconds == seconds) & (table.c.start < now - kept)
                connection.execute(delete(table).where(old))
        ids = select(tables.slow.c.id).order_by(tables.slow.c.id.desc()).offset(SLOW_KEPT).limit(1)
        connection.execute(delete(tables.slow).where(tables.slow.c.id <= ids.scalar_subquery()))
        connection.execute(delete(tables.processes).where(tables.processes.c.seen_at < now - MINUTES_KEPT))
        connection.execute(delete(tables.samples).where(tables.samples.c.taken_at < now - SAMPLES_KEPT))


def _upsert(table: Table) -> Prepared:
    keys = list(table.primary_key.columns)

    def statement(dialect: str) -> UpdateBase:
        make = postgresql.insert if dialect == "postgresql" else sqlite.insert
        insertion = make(table)
        changed = {c.name: insertion.excluded[c.name] for c in table.columns if not c.primary_key}
        return insertion.on_conflict_do_update(index_elements=keys, set_=changed)

    return Prepared(statement, [column.key for column in table.columns])


def _insert_missing(table: Table) -> Prepared:
    def statement(dialect: str) -> UpdateBase:
        make = postgresql.insert if dialect == "postgresql" else sqlite.insert
        return make(table).on_conflict_do_nothing()

    return Prepared(statement, [column.key for column in table.columns])
