"""The export as an answer that streams: `GET /admin/api/export`."""

from collections.abc import Generator, Iterator
from dataclasses import replace
from threading import BoundedSemaphore
from typing import Annotated, Literal

from flask import Response
from pydantic import Field, StringConstraints
from sqlalchemy import func, select

from app.blueprints.admin.api import blueprint, filter_of
from app.blueprints.admin.export import Batch, Export, columns_of, stream
from app.blueprints.admin.export_formats import MEDIA_TYPES
from app.blueprints.admin.schemas import Filters, QueryTruth
from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.models import DailyCount, audit
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse, people
from app.responses import Failure
from app.security import needs

# A million submissions take some 20 s; the rest is for the reader's line. After it the snapshot is let go.
BUDGET_SECONDS = 600.0
# Each holds a connection of the pool for as long as its reader takes.
SIDE_BY_SIDE = 2
BUSY_SECONDS = 10
COUNTED_BY = frozenset({"project", "category", "status", "is_archived"})
_places = BoundedSemaphore(SIDE_BY_SIDE)


class ExportQuery(Filters):
    """Which submissions, and how they are written."""

    q: Annotated[str | None, Field(max_length=2000, description="A query (docs/inbox.md).")] = None
    format: Literal["csv", "jsonl"] = "csv"
    columns: Annotated[
        str, StringConstraints(max_length=1000), Field(description="Names, separated by commas.")
    ] = ""
    bom: Annotated[
        QueryTruth, Field(description="A byte order mark at the beginning of CSV, as some spreadsheets want.")
    ] = False


@blueprint.get(
    "/export",
    summary="All submissions that match",
    responses={
        200: {
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/x-ndjson": {"schema": {"type": "string"}},
            }
        },
        429: Failure,
    },
)
def export_feedback(query: ExportQuery) -> Response:
    """Stream the submissions that match, the oldest first, from one snapshot.

    `X-Export-Rows` says how many there are where the roll-up knows it. An answer that ends too early was cut
    off: its connection is closed without the last chunk.
    """
    wanted = Export(
        format=query.format,
        columns=columns_of([name.strip() for name in query.columns.split(",") if name.strip()]),
        chosen=_chosen(query),
        bom=query.bom,
    )
    if not _places.acquire(blocking=False):
        message = "Other exports are running. Try again when they are done."
        raise ClientError(429, "rate_limited", message, retry_after=BUSY_SECONDS)
    running = _Running(stream(wanted, budget_seconds=BUDGET_SECONDS))
    try:
        running.begin()  # what can fail, fails here, before anything is answered
        _record(query, wanted)
        headers = {
            "Content-Disposition": f'attachment; filename="earmark-{utc_now():%Y-%m-%d}.{query.format}"',
            **_rows(query, wanted),
        }
    except BaseException:
        running.close()
        raise
    # What follows needs no context of the request: it holds its connection already.
    response = Response(running.body(), content_type=MEDIA_TYPES[query.format], headers=headers)
    response.call_on_close(running.close)  # also where the body is never begun, as for HEAD
    return response


class _Running:
    """An export that is being sent; its end, whatever it is, gives connection and place back once."""

    def __init__(self, batches: Generator[Batch]) -> None:
        self._batches = batches
        self._first: Batch | None = None
        self._is_open = True

    def begin(self) -> None:
        """Ask the database and read the first batch."""
        self._first = next(self._batches, None)

    def body(self) -> Iterator[bytes]:
        """Give the bytes."""
        try:
            if self._first is not None:
                yield self._first.data
            for batch in self._batches:
                yield batch.data
        finally:
            self.close()

    def close(self) -> None:
        """Let go; once more does nothing."""
        if self._is_open:
            self._is_open = False
            self._batches.close()
            _places.release()


def _chosen(query: ExportQuery) -> InboxFilter:
    given = {name: getattr(query, name) for name in Filters.model_fields}
    chosen = filter_of(Filters.model_construct(**given))
    if query.q is None:
        return chosen
    context = QueryContext(utc_now(), needs("admin").user_id)
    return replace(chosen, query=parse(query.q), context=context)


def _record(query: ExportQuery, wanted: Export) -> None:
    given = query.model_dump(mode="json", exclude_none=True, exclude={"format", "columns", "bom"})
    # The log never forgets, so it is not told whom a filter names.
    given |= {name: people.WITHHELD for name in ("reporter", "session_id") if name in given}
    given |= {"q": people.withheld(given["q"])} if "q" in given else {}
    details = {"format": wanted.format, "columns": list(wanted.columns), "filter": given}
    with transaction() as session:
        audit.record(session, "export.run", details=details)


def _rows(query: ExportQuery, wanted: Export) -> dict[str, str]:
    """Say how many rows there are, where the roll-up knows."""
    asked = query.model_dump(exclude_none=True, exclude={"format", "columns", "bom"})
    if not set(asked) <= COUNTED_BY:
        return {}
    chosen = wanted.chosen
    equal = {
        DailyCount.project_id: chosen.project_id,
        DailyCount.category: chosen.category,
        DailyCount.status: chosen.status,
        DailyCount.is_archived: chosen.is_archived,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    count = db.session.scalar(select(func.sum(DailyCount.submissions)).where(*conditions))
    return {"X-Export-Rows": str(int(count or 0))}
