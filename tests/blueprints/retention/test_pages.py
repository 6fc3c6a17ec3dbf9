"""The retention pages without a script: what they say, what their forms change, and whom they let in."""

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from app import jobs
from app.blueprints.retention import archive, guards, pages, pages_strip
from app.blueprints.retention.forecast import Night
from app.blueprints.retention.pages_sentences import plain
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, Hold, RetentionPolicy, RetentionRun, removal
from app.models.retention import Rule
from tests.blueprints.admin import conftest as admin

BASE = "/admin/retention"
submit, sign_in = admin.submit, admin.sign_in
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def text_of(answer):
    assert answer.status_code == 200, answer.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.fixture
def old(app, submit):
    """Add a submission that was resolved so many days ago, and return its public id."""

    def add(days=91, **values):
        when = utc_now() - timedelta(days=days)
        return submit(status="resolved", created_at=when, updated_at=when, **values)

    return add


@pytest.fixture
def policy(app):
    """Read a policy by its name, detached."""

    def read(name):
        with app.app_context():
            found = db.session.scalar(select(RetentionPolicy).where(RetentionPolicy.name == name))
            if found is not None:
                db.session.expunge(found)
            return found

    return read


def test_the_plan_stands_first_in_numbers_and_names_what_is_held(sign_in, old, app):
    old(), old()
    held = old()
    with app.app_context(), transaction() as session:
        found = Feedback.by_public_id(session, held)
        admin_hold(session, found)
    page = text_of(sign_in().get(BASE))
    assert "2 submissions go" in page
    assert "Holds keep 1 back" in page
    assert "Delete 2 submissions now" in page
    assert "Submissions marked resolved of every project are deleted 90 days after their last change" in page


def admin_hold(session, found):
    from app.models import hold

    return hold.place(session, found, hold.Terms(reason="Counsel", placed_by="Jana"), utc_now())


@one_database
def test_a_policy_is_previewed_then_changed_in_place(sign_in, old, policy):
    old(days=50)
    browser = sign_in()
    resolved = policy("Resolved")
    page = browser.get(f"{BASE}?change={resolved.public_id}").text
    assert f'action="{BASE}/policies/{resolved.public_id}"' in page
    form = {
        "kind": "submissions", "action": "delete", "status": "resolved", "project": "", "category": "",
        "query": "", "keep": "40", "measure": "days", "since": "changed", "is_active": "true",
        "name": "Resolved",
    }  # fmt: skip
    preview = browser.post(f"{BASE}/policies/{resolved.public_id}", form | {"preview": "1"})
    assert "The next run takes 1 by it" in text_of(preview)
    assert policy("Resolved").keep_days == 90, "a preview changes nothing"
    browser.get(BASE)
    assert browser.post(f"{BASE}/policies/{resolved.public_id}", form).status_code == 303
    assert policy("Resolved").keep_days == 40
    assert "1 submission goes" in text_of(browser.get(BASE))


@one_database
def test_a_policy_is_added_and_deleted(sign_in, policy, project):
    browser = sign_in()
    assert "A new policy" in text_of(browser.get(f"{BASE}?change=new"))
    form = {
        "action": "anonymise", "project": project.public_key, "keep": "180", "measure": "days",
        "since": "created", "is_active": "true", "name": "Forget whom", "fields": ["reporter", "session"],
    }  # fmt: skip
    assert browser.post(f"{BASE}/policies/new", form).status_code == 303
    made = policy("Forget whom")
    assert (made.keep_days, made.fields) == (180, ["reporter", "session"])
    assert "Submissions of Shop are made anonymous 180 days after they arrive" in text_of(browser.get(BASE))
    assert browser.post(f"{BASE}/policies/{made.public_id}/delete", {}).status_code == 303
    assert policy("Forget whom") is None


@one_database
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"keep": "0"}, "greater than or equal to 1"),
        ({"keep": "1.5"}, "whole number"),
        ({"keep": "-3"}, "whole number"),
        ({"name": "Closed"}, "There is a policy named Closed already"),
        ({"project": "pk_none"}, "is not the key of a project"),
        ({"status": "closed"}, "would govern the same submissions"),
        ({"query": "rating:many"}, "rating"),
    ],
)
def test_a_wrong_policy_is_refused_where_it_stands(sign_in, policy, changed, words):
    browser, resolved = sign_in(), policy("Resolved")
    form = {"action": "delete", "status": "resolved", "keep": "90", "measure": "days", "since": "changed",
            "is_active": "true", "name": "Resolved"}  # fmt: skip
    browser.get(BASE)
    answer = browser.post(f"{BASE}/policies/{resolved.public_id}", form | changed)
    assert answer.status_code in (409, 422)
    assert words in unescape(answer.text)
    assert policy("Resolved").keep_days == 90


@one_database
def test_what_is_due_is_listed_and_carried_out(sign_in, old, app):
    public_id = old(description="It is long settled")
    browser = sign_in()
    assert "It is long settled" in text_of(browser.get(f"{BASE}/due"))
    assert browser.post(f"{BASE}/run", {}).status_code == 303
    with app.app_context():
        pages.sweep.run(pages.Wanted(), pages.How(trigger="page", force=True), utc_now())
        assert Feedback.by_public_id(db.session(), public_id) is None
        run = db.session.scalar(select(RetentionRun.public_id))
    assert "Done" in text_of(browser.get(f"{BASE}/runs"))
    assert "1 submission went" in text_of(browser.get(f"{BASE}/runs/{run}"))
    assert browser.get(f"{BASE}/runs/none").status_code == 404


@one_database
def test_more_than_a_fifth_of_a_project_is_left_out_at_night_and_goes_only_when_ticked(sign_in, old, app):
    for _ in range(guards.FEW + 1):
        old()
    browser, queue = sign_in(), jobs.queue_of(app)
    page = text_of(browser.get(BASE))
    assert "21 submissions are due" in page
    assert "1 project is left out, because more than 20 % of what it has would go at once" in page
    assert "21 of 21" in page
    assert "Also where it is more than 20 %: 21 of the 21 of Shop" in text_of(browser.get(f"{BASE}/due"))
    browser.post(f"{BASE}/run", {})
    queue.execute(queue.dequeue())
    assert "Refused: More than 20 % of a project would go" in text_of(browser.get(f"{BASE}/runs"))
    browser.post(f"{BASE}/run", {"force": "true"})
    queue.execute(queue.dequeue())
    assert "nothing goes" in text_of(browser.get(BASE))


def test_a_hold_is_counted_placed_shown_and_released(sign_in, old, app):
    old(), old()
    browser = sign_in()
    form = {"reason": "Asked for by counsel", "status": "resolved", "until": "2999-01-01"}
    browser.get(f"{BASE}/holds")
    assert "This holds 2 submissions" in text_of(browser.post(f"{BASE}/holds", form | {"preview": "1"}))
    browser.get(f"{BASE}/holds")
    assert browser.post(f"{BASE}/holds", form).status_code == 303
    page = text_of(browser.get(f"{BASE}/holds"))
    assert "2 submissions are held" in page
    assert "until 02 Jan 2999" in page
    with app.app_context():
        public_id = db.session.scalar(select(Hold.public_id))
    assert browser.post(f"{BASE}/holds/{public_id}/release", {}).status_code == 303
    assert "Nothing is held" in text_of(browser.get(f"{BASE}/holds"))
    assert "Asked for by counsel" in text_of(browser.get(f"{BASE}/holds?state=ended"))


@one_database
def test_a_hold_without_a_reason_or_a_scope_is_refused_at_its_field(sign_in):
    browser = sign_in()
    for form, words in (
        ({"reason": "", "status": "open"}, "characters"),
        ({"reason": "x"}, "names a project"),
    ):
        browser.get(f"{BASE}/holds")
        answer = browser.post(f"{BASE}/holds", form)
        assert answer.status_code == 422
        assert words in unescape(answer.text).lower()


@one_database
def test_something_is_brought_back_from_the_archive(sign_in, old, app):
    public_id = old()
    with app.app_context():
        ids = [Feedback.by_public_id(db.session(), public_id).id]
        archive.store(ids)
        with transaction() as session:
            removal.remove(session, ids)
    browser = sign_in()
    assert "1 submission can be brought back" in text_of(browser.get(f"{BASE}/archive"))
    assert "each is what was written" in text_of(browser.get(f"{BASE}/archive?verify=1"))
    browser.get(f"{BASE}/archive")
    form = {"submission": public_id}
    assert "Up to 1 submission" in text_of(browser.post(f"{BASE}/archive", form))
    browser.get(f"{BASE}/archive")
    assert "Brought back 1 submission" in text_of(browser.post(f"{BASE}/archive", form | {"yes": "1"}))
    assert browser.get(f"/admin/feedback/{public_id}").status_code == 200
    browser.get(f"{BASE}/archive")
    assert browser.post(f"{BASE}/archive", {}).status_code == 422


def test_space_says_what_there_is_to_gain(sign_in, database):
    page = text_of(sign_in().get(f"{BASE}/space"))
    assert "can be given back" in page
    assert ("Dead rows" in page) == (database == "postgresql")


@one_database
def test_retention_is_the_admins(sign_in):
    browser = sign_in("agent")
    for path in ("", "/due", "/runs", "/holds", "/archive", "/space"):
        assert browser.get(BASE + path).status_code == 403
    assert BASE not in browser.get("/admin/").text


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(status="spam", keep_days=30, since="changed"),
         "Submissions in spam of every project are deleted 30 days after their last change"),
        (Rule(project_id=1, category="bug", keep_submissions=1000),
         "Submissions of Shop of the kind bug are deleted beyond the newest 1,000"),
        (Rule(project_id=1, keep_bytes=500 * 2**20, action="drop_screenshots"),
         "Pictures of Shop are dropped beyond 500 MB; the words stay"),
        (Rule(query="rating:5", keep_days=1, action="anonymise"),
         "Submissions found by rating:5 are made anonymous 1 day after they arrive"),
        (Rule(kind="audit", keep_days=730), "Audit entries are deleted after 730 days"),
    ],
)  # fmt: skip
def test_a_policy_is_a_sentence(rule, words):
    assert plain(rule, {1: "Shop"}) == words


def nights(*rows):
    start = utc_now()
    return [Night(start + timedelta(days=n), count, 0, (("Closed", count),)) for n, count in enumerate(rows)]


def test_an_odd_night_is_named_and_an_even_week_is_not():
    drawn = pages_strip.draw(nights(40, 10, 12, 90, 9, 11, 10))
    assert [bar.label for bar in drawn.bars if bar.label] == ["90, all by Closed"]
    assert not any(bar.label for bar in pages_strip.draw(nights(40, 10, 12, 11, 9, 11, 10)).bars)
    assert pages_strip.draw(nights(0, 0)).total == 0
