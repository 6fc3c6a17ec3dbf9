"""What plans are tried with on both databases: a year of submissions, and filters of each kind."""

from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import event, text

from app.blueprints.operations.seed.planting import places, plant
from app.blueprints.operations.seed.team import load_team
from app.database.transactions import transaction
from app.extensions import db
from app.models import User, rollup, search
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse
from app.models.search.finding import page_of

PAGE = 50
UNTIL = datetime(2026, 11, 21, 14, 20, tzinfo=UTC)
BOXES = (None, "open", "resolved", "spam")
PLAIN = (
    "",
    "is:read",
    "category:bug",
    "category:praise",
    "status:open",
    "assignee:me",
    "assignee:none",
    'assignee:"Ana"',
    "-tag:checkout",
    "has:screenshot",
    "-has:screenshot",
    "has:reply",
    "-has:note",
    "after:2026-11-01",
    "before:2026-01-01",
    "age:>30d",
    "age:<2d",
    "answered:2026-11-08",
    "answered:2027-01-01",
    "settled:2026-11-08",
    "category:bug OR rating:<3",
)
MERGED = (
    "-status:resolved",
    "-status:resolved -status:closed -status:rejected",
    "is:unread",
    "-is:read",
    "is:archived",
    "has:annotation",
    "status:closed OR status:spam",
    "project:Shop",
    'project:"Partner portal"',
    "project:nowhere",
    "tag:checkout",
    "tag:regression",
    "tag:nowhere",
    "has:note",
    "rating:1",
    "rating:>=4",
    "browser:firefox",
    "os:ios",
    "release:web-2026.40.1",
    "url:*basket*",
    "email:en7@example.com",
    "reporter:u-7",
    "reporter:en7@example.com",
    "session:9e3779b97f4a7c15",
    "basket",
    '"the total"',
    "bask* -total",
    "basket OR tag:checkout",
    "tag:checkout OR email:en7@example.com",
)
# What nothing is of, in no box or in some: the roll-up says so, and no submission is walked.
OF_NOTHING = (
    "category:nowhere",
    "category:nowhere is:unread",
    "-(category:bug OR category:idea OR category:question OR category:praise OR category:other)",
    '-(project:Shop OR project:"Help centre" OR project:"Partner portal")',
)


PICTURES = (
    "insert into feedback_screenshots"
    " (feedback_id, blob_key, media_type, size_bytes, state, attempts, created_at)"
    " select id, 'screenshots/' || public_id, 'image/webp', 40000, 'ready', 0, created_at"
    " from feedback_submissions where id % 3 > 0",
    "update feedback_submissions set has_screenshot = 1, has_annotation = (id % 999 = 1) where id % 3 > 0",
)


def fill(rows):
    """Plant a year of submissions, and have them counted and indexed."""
    with transaction() as session:
        session.add(User(email="ana@example.org", name="Ana", role="agent"))
    plant(
        rows, at=places(()), team=load_team(), until=UNTIL, seed=1, screenshots=False, planted=lambda _: None
    )
    rollup.fold_all(300, 10_000)
    while search.index_some(2_000):
        pass


def add_pictures():
    """Give two of three submissions a picture; `pictured` and the lists' indexes know them then."""
    true = "1" if db.engine.dialect.name == "sqlite" else "true"
    with transaction() as session:
        for statement in PICTURES:
            session.execute(text(statement.replace("has_screenshot = 1", f"has_screenshot = {true}")))


def wanted(query, status, sort="newest"):
    """Return the filter of the page: its default list leaves archived ones out, the API's does not."""
    return InboxFilter(
        status=None if "status" in query else status,
        is_archived=False if status and "archived" not in query else None,
        query=parse(query) if query else None,
        context=QueryContext(UNTIL, 1),
        sort=sort,
    )


def first_page(chosen):
    """Return the first page of a filter."""
    return page_of(db.session(), chosen, cursor=None, limit=PAGE, scope="test")


@contextmanager
def remembered():
    """Give the statements of the body, each with its parameters."""
    seen = []

    def remember(_connection, _cursor, statement, parameters, *_):
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", remember)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", remember)
