"""The role table: every route × role × method, walked from the URL map and the table of access alone.

Nobody keeps a copy of it. What a route needs in its address is made up, so whoever may pass the guard finds
404 there: the same for what is missing and for what may not be seen.
"""

import re
from itertools import product

import pytest
from sqlalchemy import func, select

from app.database.transactions import transaction
from app.extensions import db
from app.models import AuditEntry, User, UserSession
from app.models.user import ROLES, role_covers
from app.security import GUEST, PUBLIC

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

MISSING = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
SAFE = {"GET", "HEAD", "OPTIONS"}
# Streams of events: an answer to who may listen has no end.
NEVER_ENDS = re.compile(r"stream|events$|live$")


def table(app):
    """Give endpoint, method, address and needed role of every route, as the guard reads them."""
    access = app.extensions["earmark_access"]
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"OPTIONS"}):
            needed = access.get(f"{method} {rule.endpoint}") or access[rule.endpoint]
            yield rule.endpoint, method, address(rule), needed


def address(rule):
    return re.sub(r"<(?:int:)?([^>]+)>", lambda found: "7" if "int:" in found[0] else MISSING, rule.rule)


@pytest.fixture
def ask(app, client, bearer):
    """Ask as a role by its token, with a body that changes nothing, and return status and code."""
    headers = {role: bearer(role) for role in ROLES}
    headers[None] = {}

    def go(role, method, path):
        answer = client.open(
            path, method=method, headers=headers[role], json={} if method not in SAFE else None
        )
        answer.close()
        said = answer.get_json(silent=True) or {}
        return answer.status_code, said.get("error", {}).get("code")

    return go


def test_every_route_is_refused_to_less_than_its_role_and_open_to_it(app, ask):
    """A refusal by the guard is `forbidden`; everything else means that the guard let it pass."""
    wrong = []
    rows = [row for row in table(app) if row[3] not in (PUBLIC, GUEST)]
    assert len(rows) > 60
    for (endpoint, method, path, needed), role in product(rows, ROLES):
        if role_covers(role, needed) and NEVER_ENDS.search(endpoint):
            continue
        status, code = ask(role, method, path)
        refused = status == 403 and code in (None, "forbidden")
        own_browser_only = endpoint.startswith(("admin.own_", "admin.profile", "admin.second_factor"))
        if refused is role_covers(role, needed) and not own_browser_only:
            wrong.append((role, method, path, needed, status, code))
        if status >= 500:
            wrong.append((role, method, path, "a fault of ours", status, code))
    assert wrong == []


def test_nobody_passes_the_guard_of_a_route_with_a_role(app, ask):
    wrong = []
    for endpoint, method, path, needed in table(app):
        if needed in (PUBLIC, GUEST):
            continue
        status, _ = ask(None, method, path)
        page = method in ("GET", "HEAD") and not path.startswith(("/admin/api/", "/api/"))
        if status not in ((302, 401) if page else (401,)):
            wrong.append((endpoint, method, path, status))
    assert wrong == []


def test_what_is_missing_is_404_for_whoever_may_ask(app, ask):
    """Addresses that name one thing, asked for by reading: nothing but 404 says that it is not there."""
    wrong = []
    for endpoint, method, path, needed in table(app):
        if method != "GET" or MISSING not in path or needed in (PUBLIC, GUEST) or "<path:" in path:
            continue
        status, _ = ask("admin", method, path)
        if status not in (404, 403 if endpoint.startswith("admin.profile") else 404):
            wrong.append((endpoint, path, status))
    assert wrong == []


def test_a_refused_walk_changes_nothing(app, ask):
    """Every change a viewer may not make, tried; the users and sessions are what they were."""
    before = state(app)
    for _, method, path, needed in table(app):
        if needed in ROLES and method not in SAFE and not role_covers("viewer", needed):
            assert ask("viewer", method, path)[0] == 403, (method, path)
    assert state(app) == before


def state(app):
    with app.app_context(), transaction() as session:
        users = session.execute(select(User.email, User.role, User.is_active, User.name)).all()
        return sorted(map(tuple, users)), session.scalar(select(func.count(UserSession.id)))


def test_refusals_are_written_down(app, ask):
    ask("viewer", "GET", "/admin/users")
    with app.app_context():
        found = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "access.refuse")).one()
        assert (found.target, found.outcome) == ("GET admin.users_list", "refused")
        db.session.rollback()
