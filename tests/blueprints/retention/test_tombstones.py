"""An older database comes back beside the blob store: who was erased is erased again at the start."""

import secrets
import shutil
import subprocess
import sys

import pytest
from sqlalchemy import make_url, select

from app.blueprints.retention import holds, policies, privacy_erase
from app.blueprints.retention.holds import Filter
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.jobs import run_at_start
from app.models import Erasure, Feedback, Hold, RetentionPolicy, SavedView, audit_chain
from app.models.erasure import Person
from tests.conftest import _create, _dispose, _drop

JANA = Person("email", "jana@example.org")


@pytest.fixture
def copies(settings):
    """Keep a copy of the database, and bring it back; nobody is connected meanwhile."""
    file, kept = settings.instance_path / "earmark.sqlite3", settings.instance_path / "yesterday"
    name = make_url(settings.database_url).database if settings.database_url else ""
    copy = f"earmark_test_{secrets.token_hex(6)}"

    class Copies:
        def keep(self, app):
            if not name:
                with app.app_context():
                    raw = db.engine.raw_connection()
                    raw.driver_connection.execute(f"vacuum into '{kept}'")
                    raw.close()
            _dispose(app)
            if name:
                _create(copy, template=name)

        def bring_back(self, app):
            _dispose(app)
            if name:
                _drop(name)
                _create(name, template=copy)
                return
            for path in settings.instance_path.glob("earmark.sqlite3-*"):
                path.unlink()
            shutil.copy(kept, file)

    yield Copies()
    if name:
        _drop(copy)


def left():
    found = sorted(filter(None, db.session.scalars(select(Feedback.reporter_email))))
    db.session.rollback()  # others write next, and this reader would not see it
    return found


def test_yesterdays_database_comes_back_and_the_person_is_still_gone(people, app, make_app, copies):
    copies.keep(app)
    today = make_app()
    with today.app_context():
        done_id = privacy_erase.erase(JANA, utc_now()).public_id
        assert left() == ["otto@example.org"]
    copies.bring_back(today)
    again = make_app()
    with again.app_context():
        assert left() == ["Jana@Example.ORG", "jana@example.org", "otto@example.org"], "the copy holds her"
        run_at_start(again)
        assert left() == ["otto@example.org"]
        found = db.session.scalars(select(Erasure)).one()
        assert (found.public_id, found.finished_at is not None) == (done_id, True)
        assert found.removed["submissions"] == 2
        assert audit_chain.verify().is_intact
        run_at_start(again)
        assert len(db.session.scalars(select(Erasure)).all()) == 1


def test_what_named_the_person_in_yesterdays_database_is_nameless_again(
    people, app, make_app, copies, make_user
):
    admin = make_user()
    policies.create({"name": "Hers", "query": "email:jana@example.org", "keep_days": 10})
    holds.place_on(Filter(query="email:JANA@example.org rating:1"), "Counsel", None, utc_now())
    with transaction() as session:
        session.add(SavedView(user_id=admin.id, name="Mail of jana@example.org", query="category=bug"))
    copies.keep(app)
    today = make_app()
    with today.app_context():
        privacy_erase.erase(JANA, utc_now())
    copies.bring_back(today)
    again = make_app()
    with again.app_context():
        run_at_start(again)
        policy = db.session.scalars(select(RetentionPolicy).where(RetentionPolicy.name == "Hers")).one()
        assert (policy.query, policy.is_active) == ("email:[erased]", False)
        hold = db.session.scalars(select(Hold)).one()
        assert (hold.query, hold.is_active) == ("email:[erased] rating:1", False)
        assert db.session.scalars(select(SavedView.name)).all() == []


STARTS = """
from app import create_app
from app.jobs import run_at_start
app = create_app()
print("ready", flush=True)
input()
run_at_start(app)
"""


def test_two_servers_that_start_beside_one_old_database_do_not_stop_each_other(
    people, app, make_app, copies, environment
):
    copies.keep(app)
    today = make_app()
    with today.app_context():
        privacy_erase.erase(JANA, utc_now())
    copies.bring_back(today)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", STARTS],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * 2
    said = [process.communicate("go\n", timeout=100) for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    with make_app().app_context():
        assert left() == ["otto@example.org"]
        assert len(db.session.scalars(select(Erasure)).all()) == 1
        assert audit_chain.verify().is_intact
