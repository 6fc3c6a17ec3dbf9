"""People's data by API and page: the same functions, for admins only, the name never in an address."""

import io
import zipfile

import pytest
from sqlalchemy import select, update

from app.database.transactions import transaction
from app.extensions import db
from app.models import Erasure, Feedback
from app.models.erasure import is_certificate

HOSTILE = "<script>alert(1)</script>@example.org"
API = "/admin/api/privacy"


@pytest.fixture
def jana(plant):
    """Two submissions of Jana and one of somebody with a hostile name."""
    plant(3, picture=900, reporter_email="jana@example.org")
    plant(1, reporter_email="jana@example.org")
    plant(1, reporter_email=HOSTILE)
    db.session.remove()


@pytest.fixture
def api(client, bearer):
    headers = bearer()

    def call(path, **body):
        return client.post(API + path, json=body, headers=headers)

    return call


def test_the_api_counts_hands_over_and_erases(jana, api, client, bearer, app):
    headers = bearer()
    policy = {"name": "Hers", "query": "email:jana@example.org", "keep_days": 10}
    assert client.post("/admin/api/policies", json=policy, headers=headers).status_code == 201
    counted = api("/erase", email="jana@example.org", dry_run=True).json["data"]
    assert (counted["submissions"], counted["held"]) == (2, 0)
    assert [(one["kind"], one["name"], one["fate"]) for one in counted["filters"]] == [
        ("policy", "Hers", "switched_off")
    ]
    zipped = api("/export", email="jana@example.org")
    assert zipped.headers["Content-Disposition"] == 'attachment; filename="person.zip"'
    assert "index.html" in zipfile.ZipFile(io.BytesIO(zipped.data)).namelist()
    done = api("/erase", email="jana@example.org").json["data"]
    assert done["removed"]["submissions"] == 2
    assert done["removed"]["retention_policies"] == 1
    listed = client.get(API + "/erasures", headers=headers).json["data"]
    assert [one["id"] for one in listed] == [done["id"]]
    one = client.get(f"{API}/erasures/{done['id']}", headers=headers).json["data"]
    with app.app_context():
        assert is_certificate(one["certificate"])
    assert client.get(API + "/erasures/nothing", headers=headers).status_code == 404


def test_a_held_person_is_refused_with_the_holds_words(jana, api, client, bearer, app):
    with app.app_context():
        hers = select(Feedback.public_id).where(Feedback.reporter_email == "jana@example.org").limit(1)
        public_id = db.session.scalar(hers)
    placed = {"submission": public_id, "reason": "Asked for by counsel"}
    assert client.post("/admin/api/holds", json=placed, headers=bearer()).status_code == 201
    answer = api("/erase", email="jana@example.org")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "held")
    assert "Asked for by counsel" in answer.json["error"]["message"]
    assert api("/erase", email="jana@example.org", dry_run=True).json["data"]["held"] == 1


def test_a_wrong_request_is_refused_with_its_field(api):
    for body in (
        {},
        {"email": "x"},
        {"email": "a@b", "session": "s"},
        {"email": 5},
        {"who": "x"},
        {"email": ""},
    ):
        answer = api("/erase", **body)
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "validation_failed"), body
        assert answer.json["error"]["details"], body


def test_only_admins_may(client, bearer):
    headers = bearer("agent")
    for address in ("/admin/privacy", "/admin/privacy/data", API + "/erasures"):
        assert client.get(address, headers=headers).status_code == 403
    assert client.post(API + "/erase", json={"email": "a@b.c"}, headers=headers).status_code == 403


@pytest.fixture
def page(client, bearer):
    headers = bearer()

    def call(path="", **form):
        address = "/admin/privacy" + path
        if form:
            return client.post(address, data=form, headers=headers)
        return client.get(address, headers=headers)

    return call


def test_the_page_shows_numbers_before_the_act_and_wants_the_name_typed(jana, page, app):
    whom = {"kind": "email", "value": "jana@example.org"}
    assert "Nobody was erased yet." in page().text
    shown = page("/preview", **whom)
    assert "Erase 2 submissions" in shown.text
    wrong = page("/erase", **whom, typed="jana")
    assert (wrong.status_code, "Nothing was erased." in wrong.text) == (422, True)
    done = page("/erase", **whom, typed="Jana@example.org")
    assert done.status_code == 303
    certificate = page(done.headers["Location"].removeprefix("/admin/privacy"))
    assert "Certificate" in certificate.text
    assert "jana" not in certificate.text.lower()
    assert "Nothing is kept under this name." in page("/preview", **whom).text
    with app.app_context(), transaction() as session:
        session.execute(update(Erasure).values(certificate=None, finished_at=None))
    db.session.remove()
    assert "Erasure under way" in page(done.headers["Location"].removeprefix("/admin/privacy")).text


def test_the_page_says_what_is_wrong_and_shows_hostile_names_as_text(jana, page):
    assert page("/preview", kind="email", value=" ").status_code == 422
    assert "Must be an e-mail address." in page("/preview", kind="email", value="jana").text
    shown = page("/preview", kind="email", value=HOSTILE)
    assert "<script>alert" not in shown.text
    assert "Erase 1 submission" in shown.text
    assert page("/export", kind="email", value=HOSTILE).mimetype == "application/zip"


def test_the_data_map_shows_every_kind_with_its_policy(page):
    shown = page("/data").text
    for words in ("Submissions", "reporter_email", "Audit log", "730 days", "About a person"):
        assert words in shown, words
    assert "not described" not in shown
