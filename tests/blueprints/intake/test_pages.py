"""The demo shop, the plain form and the reporter's page, through the client, on both databases."""

import io
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import event, select
from werkzeug.datastructures import LanguageAccept
from werkzeug.test import TestResponse

from app.blueprints.intake import report_form, status_page
from app.blueprints.intake.page_texts import ENGLISH, GERMAN, words
from app.blueprints.intake.screenshots import encode_screenshot
from app.clock import utc_now
from app.database.transactions import transaction
from app.errors import ClientError
from app.extensions import db
from app.models import Feedback, Project, Screenshot
from app.models.feedback import STATUSES
from app.storage import storage

WORDS = "The code says applied but the total stays the same."
HTML = {"Accept": "text/html"}


class Page(HTMLParser):
    """What a browser would send from a page's form, and the links and pictures on it."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.text = response.get_data(as_text=True)
        self.values: dict[str, str] = {}
        self.names: set[str] = set()
        self.invalid: set[str] = set()
        self.links: list[str] = []
        self.inline: list[str] = []
        self._textarea = ""
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag in ("input", "textarea"):
            self.names.add(name)
            if "aria-invalid" in given:
                self.invalid.add(name)
        if tag == "textarea":
            self._textarea = name
            self.values[name] = ""
        chosen = given.get("type") != "radio" or "checked" in given
        if tag == "input" and given.get("type") != "file" and chosen:
            self.values[name] = given.get("value", "")
        if tag == "a":
            self.links.append(given.get("href", ""))
        self.inline += [key for key in given if key == "style" or key.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.values[self._textarea] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""


@pytest.fixture
def address(project: Project) -> str:
    """The plain form's address."""
    return f"/report/{project.public_key}"


@pytest.fixture
def configure(app: Flask, project: Project) -> Callable[..., None]:
    """Change the project's settings."""

    def change(**values: Any) -> None:
        with app.app_context(), transaction() as session:
            row = session.get(Project, project.id)
            assert row is not None
            for name, value in values.items():
                setattr(row, name, value)

    return change


@pytest.fixture
def kept(app: Flask) -> Callable[[], list[Feedback]]:
    """Return every submission there is, oldest first."""

    def load() -> list[Feedback]:
        with app.app_context():
            rows = list(db.session.scalars(select(Feedback).order_by(Feedback.id)).unique())
            for row in rows:
                db.session.expunge(row)
            return rows

    return load


@pytest.fixture
def make_feedback(app: Flask, project: Project) -> Callable[..., str]:
    """Make submissions; returns the address of the reporter's page."""

    def make(**values: Any) -> str:
        with app.app_context():
            with transaction() as session:
                row = Feedback(
                    **{
                        "project_id": project.id,
                        "category": "bug",
                        "description": WORDS,
                        **values,
                    }
                )
                session.add(row)
            return f"/f/{row.status_token}"

    return make


def png(width: int = 40, height: int = 30) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (120, 30, 60)).save(buffer, "PNG")
    return buffer.getvalue()


def send(client: FlaskClient, address: str, image: bytes | None = None, **changes: str) -> TestResponse:
    """Open the form, fill it in, send it as a browser would."""
    values: dict[str, Any] = {**Page(client.get(address)).values, "description": WORDS, **changes}
    return post(client, address, values, image)


def post(
    client: FlaskClient, address: str, values: dict[str, Any], image: bytes | None = None
) -> TestResponse:
    data = dict(values)
    data["screenshot"] = (io.BytesIO(image or b""), "picture.png" if image else "")
    return client.post(address, data=data, headers=HTML)


def status_address(response: TestResponse) -> str:
    found = re.search(r'href="http://localhost(/f/[^"]+)"', response.get_data(as_text=True))
    assert found, response.get_data(as_text=True)
    return found[1]


# The demo shop


def test_the_demo_is_served_only_where_the_setting_is_on(
    make_app: Callable[..., Flask], project: Project
) -> None:
    assert make_app(demo=False).test_client().get("/demo").status_code == 404
    assert make_app(demo=True).test_client().get("/demo").status_code == 200


def test_the_demo_needs_a_project(make_app: Callable[..., Flask]) -> None:
    assert make_app(demo=True).test_client().get("/demo").status_code == 404


def test_the_demo_carries_the_first_projects_tag_and_sends_its_forms_nowhere(
    make_app: Callable[..., Flask], project: Project
) -> None:
    response = make_app(demo=True).test_client().get("/demo")
    page = Page(response)
    assert f'<script src="/widget.js" data-project="{project.public_key}" async>' in page.text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "unsafe" not in policy
    assert page.inline == []
    assert "Set-Cookie" not in response.headers


def test_the_demo_has_what_a_capture_must_mind(make_app: Callable[..., Flask], project: Project) -> None:
    text = make_app(demo=True).test_client().get("/demo").get_data(as_text=True)
    for part in ('type="password"', 'autocomplete="cc-number"', "data-earmark-mask", "data-earmark-block"):
        assert part in text


def test_every_file_that_the_demo_names_is_there(make_app: Callable[..., Flask], project: Project) -> None:
    client = make_app(demo=True).test_client()
    text = client.get("/demo").get_data(as_text=True)
    files = set(re.findall(r"/static/[^\s\"',]+", text))
    assert len(files) > 12
    for name in files:
        with client.get(name) as response:
            assert response.status_code == 200, name


# The plain form


def test_a_submission_by_the_plain_form_is_kept_and_can_be_followed(
    client: FlaskClient, address: str, kept: Callable[[], list[Feedback]], configure: Callable[..., None]
) -> None:
    configure(ask_name="optional", ask_rating=True)
    response = send(
        client,
        f"{address}?url=https://shop.example/basket",
        category="idea",
        rating="4",
        name="Marta",
        email="marta@example.com",
        description="First line\r\nsecond",
    )
    assert response.status_code == 201
    (row,) = kept()
    assert (row.category, row.rating, row.status) == ("idea", 4, "open")
    assert (row.reporter_name, row.reporter_email) == ("Marta", "marta@example.com")
    assert row.description == "First line\nsecond"
    assert row.url == "https://shop.example/basket"
    text = response.get_data(as_text=True)
    assert "Thank you, Marta." in text
    assert row.reference in text
    followed = client.get(status_address(response))
    assert followed.status_code == 200
    assert "First line\nsecond" in followed.get_data(as_text=True)


def test_no_page_sets_a_cookie_or_needs_a_script(client: FlaskClient, address: str) -> None:
    sent = send(client, address)
    for response in (client.get(address), sent, client.get(status_address(sent))):
        assert "Set-Cookie" not in response.headers
        # One measures, one looks for what is new, one writes times in the reader's zone: all can be missing.
        scripts = re.findall(r'<script[^>]*src="([^"]+)"', response.get_data(as_text=True))
        names = {re.sub(r"/static/\w+/", "", script) for script in scripts}
        assert "js/shared/vitals.js" in names
        assert names <= {"js/shared/vitals.js", "js/shared/fresh.js", "js/shared/local-times.js"}
        assert Page(response).inline == []


def test_an_open_page_is_told_when_nothing_is_new(app, client: FlaskClient, address: str) -> None:
    path = status_address(send(client, address))
    first = client.get(path)
    told = {"If-None-Match": first.headers["ETag"]}
    assert client.get(path, headers=told).status_code == 304
    with app.app_context(), transaction() as session:
        session.scalars(select(Feedback)).one().change(session, utc_now(), actor="Ana", status="resolved")
    again = client.get(path, headers=told)
    assert (again.status_code, again.headers["X-Robots-Tag"]) == (200, "noindex")
    assert again.headers["ETag"] != first.headers["ETag"]


def test_pressing_send_twice_makes_one_submission(
    client: FlaskClient, address: str, kept: Callable[[], list[Feedback]]
) -> None:
    values = {**Page(client.get(address)).values, "description": WORDS}
    first, second = post(client, address, values, png()), post(client, address, values, png())
    assert (first.status_code, second.status_code) == (201, 200)
    assert status_address(first) == status_address(second)
    assert len(kept()) == 1


def test_each_rendered_form_has_a_key_of_its_own(client: FlaskClient, address: str) -> None:
    keys = {Page(client.get(address)).values["idempotency_key"] for _ in range(3)}
    assert len(keys) == 3


def test_other_words_in_a_form_already_sent_become_a_submission_of_their_own(
    client: FlaskClient, address: str, kept: Callable[[], list[Feedback]]
) -> None:
    values = {**Page(client.get(address)).values, "description": WORDS}
    post(client, address, values)
    refused = post(client, address, {**values, "description": "Other words"})
    page = Page(refused)
    assert refused.status_code == 422
    assert unescape(ENGLISH["refused.sent"]) in unescape(page.text)
    assert page.values["description"] == "Other words"
    assert post(client, address, page.values).status_code == 201
    assert [row.description for row in kept()] == [WORDS, "Other words"]


FAULTS = (
    ("description", "", "empty.description"),
    ("description", "  \n ", "empty.description"),
    ("description", "x" * 10_001, "long.description"),
    ("description", "a\x00b", "wrong.description"),
    ("category", "unknown", "wrong.category"),
    ("url", "javascript:alert(1)", "wrong.url"),
    ("rating", "7", "wrong.rating"),
    ("rating", "five", "wrong.rating"),
    ("name", "two\nlines", "wrong.name"),
    ("email", "nobody", "wrong.email"),
)


def test_a_fault_is_said_at_its_field_and_everything_typed_stays(
    client: FlaskClient, address: str, configure: Callable[..., None], kept: Callable[[], list[Feedback]]
) -> None:
    configure(ask_name="optional", ask_rating=True)
    fine = {
        "description": WORDS,
        "category": "question",
        "url": "https://shop.example/a?b=c",
        "rating": "3",
        "name": "Marta",
        "email": "marta@example.com",
    }
    for field, typed, said in FAULTS:
        response = send(client, address, **{**fine, field: typed})
        page = Page(response)
        assert response.status_code == 422, (field, typed)
        assert f'id="{field}-error">{ENGLISH[said]}<' in page.text, (field, typed)
        assert f"#{field}" in page.links
        still = {name: text for name, text in fine.items() if name != field}
        assert {name: page.values[name] for name in still} == still
    assert kept() == []


def test_what_the_project_requires_is_asked_for(
    client: FlaskClient, address: str, configure: Callable[..., None]
) -> None:
    configure(ask_name="required", ask_email="required")
    response = send(client, address, name=" ")
    assert response.status_code == 422
    assert Page(response).invalid == {"name", "email"}
    assert ENGLISH["empty.name"] in response.get_data(as_text=True)


def test_the_form_asks_only_what_the_project_asks(
    client: FlaskClient, address: str, configure: Callable[..., None]
) -> None:
    configure(ask_email="no", screenshots=False)
    names = Page(client.get(address)).names
    assert names == {"idempotency_key", "category", "description", "url", "website"}


def test_the_form_speaks_the_projects_words(
    client: FlaskClient, address: str, configure: Callable[..., None]
) -> None:
    configure(
        categories=[{"key": "wish", "label": "A <wish>"}, {"key": "bug", "label": None}],
        texts={"en": {"ask": "Well?", "title": "To {project}"}},
        consent="Kept & read.",
        privacy_url="https://shop.example/privacy",
    )
    page = Page(client.get(address))
    for part in ("A &lt;wish&gt;", ">Bug<", "Well?", "To Shop", "Kept &amp; read."):
        assert part in page.text
    assert "https://shop.example/privacy" in page.links
    assert page.values["category"] == "wish"


def test_a_privacy_link_that_is_no_web_address_is_left_out(
    client: FlaskClient, address: str, configure: Callable[..., None]
) -> None:
    configure(privacy_url="javascript:alert(1)")
    assert "javascript:" not in client.get(address).get_data(as_text=True)


def test_only_a_web_address_is_taken_over_into_the_form(client: FlaskClient, address: str) -> None:
    for url in ("javascript:alert(1)", "ftp://a.example/", "http://[", "nowhere"):
        assert Page(client.get(address, query_string={"url": url})).values["url"] == ""


def test_a_form_that_programs_fill_in_ends_in_the_spam_box(
    client: FlaskClient, address: str, kept: Callable[[], list[Feedback]]
) -> None:
    response = send(client, address, website="https://spam.example")
    assert response.status_code == 201
    assert kept()[0].status == "spam"


def test_a_file_that_is_no_picture_is_refused_at_its_field(
    client: FlaskClient, address: str, kept: Callable[[], list[Feedback]]
) -> None:
    response = send(client, address, b"GIF89a is not taken")
    page = Page(response)
    assert response.status_code == 415
    assert page.invalid == {"screenshot"}
    assert page.values["description"] == WORDS
    assert kept() == []


def test_a_picture_has_to_be_chosen_again_after_a_fault(client: FlaskClient, address: str) -> None:
    response = send(client, address, png(), email="nobody")
    assert f'id="screenshot-error">{ENGLISH["image.again"]}<' in response.get_data(as_text=True)


def test_over_the_limit_the_words_stay_and_the_wait_is_said(
    make_app: Callable[..., Flask], address: str
) -> None:
    client = make_app(intake_rate_limit="1 per hour").test_client()
    assert send(client, address).status_code == 201
    response = send(client, address, description="The second one")
    page = Page(response)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert page.values["description"] == "The second one"
    assert "You have sent several already" in page.text


def test_a_project_without_room_says_so_and_keeps_the_words(
    client: FlaskClient, address: str, configure: Callable[..., None]
) -> None:
    configure(byte_quota=10)
    response = send(client, address)
    assert response.status_code == 429
    assert ENGLISH["refused.busy"] in unescape(response.get_data(as_text=True))
    assert Page(response).values["description"] == WORDS


def test_requests_to_the_form_count_against_the_flood_limit(
    make_app: Callable[..., Flask], address: str
) -> None:
    client = make_app(flood_rate_limit="1 per hour").test_client()
    assert send(client, address, description="").status_code == 422
    assert send(client, address).status_code == 429


def test_a_page_that_the_project_does_not_allow_cannot_send_the_form(
    client: FlaskClient, address: str, configure: Callable[..., None], kept: Callable[[], list[Feedback]]
) -> None:
    configure(origins=["https://shop.example"])
    values = {**Page(client.get(address)).values, "description": WORDS}
    refused = client.post(address, data=values, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert kept() == []
    own = client.post(address, data=values, headers={"Origin": "http://localhost"})
    assert own.status_code == 201


def test_an_unknown_project_has_no_form(client: FlaskClient, project: Project) -> None:
    assert client.get("/report/pk_unknown").status_code == 404
    assert client.post("/report/pk_unknown", data={"description": WORDS}).status_code == 404


def test_a_form_without_a_length_is_refused(client: FlaskClient, address: str) -> None:
    response = client.post(
        address, input_stream=io.BytesIO(b"description=a"), environ_overrides={"CONTENT_LENGTH": ""}
    )
    assert response.status_code == 411


def test_a_body_that_is_no_form_is_a_form_left_empty(client: FlaskClient, address: str) -> None:
    response = client.post(address, data=b"{}", content_type="application/json")
    assert response.status_code == 422
    assert ENGLISH["empty.description"] in response.get_data(as_text=True)


# Languages


def test_the_form_follows_the_browsers_language(client: FlaskClient, address: str) -> None:
    text = client.get(address, headers={"Accept-Language": "de-AT,en;q=0.5"}).get_data(as_text=True)
    assert '<html lang="de" dir="ltr">' in text
    assert "An Shop schreiben" in text


def test_the_projects_language_wins(
    client: FlaskClient, address: str, configure: Callable[..., None]
) -> None:
    configure(locale="ar", texts={"ar": {"send": "إرسال"}})
    text = client.get(address, headers={"Accept-Language": "de"}).get_data(as_text=True)
    assert '<html lang="ar" dir="rtl">' in text
    assert "إرسال" in text


def test_german_has_every_text_that_english_has_with_the_same_places() -> None:
    def places(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    assert set(GERMAN) == set(ENGLISH)
    assert {key for key in ENGLISH if places(ENGLISH[key]) != places(GERMAN[key])} == set()


def test_texts_that_would_break_a_page_are_not_taken_over() -> None:
    t = words(None, {"en": {"months": "one two", "send": "", "about": "of {nothing}"}}, LanguageAccept())
    assert t.texts["months"] == ENGLISH["months"]
    assert t("send") == "Send"
    assert t("about") == "of {nothing}"


def test_a_language_nobody_shipped_is_english() -> None:
    t = words(None, {}, LanguageAccept([("tlh", 1.0), ("xx-YY", 0.5)]))
    assert t.locale == "en"
    assert t("send") == "Send"


# The reporter's page


SAID = {
    "open": ("We have it", "current todo todo", "Settled"),
    "in_progress": ("We are working on it", "done current todo", "Settled"),
    "resolved": ("It is settled", "done done current", "Settled"),
    "closed": ("It is closed", "done done current", "Closed"),
    "rejected": ("We read it and closed it", "done done current", "Closed"),
    "spam": ("It is closed", "done done current", "Closed"),
    "trash": ("It is closed", "done done current", "Closed"),
}


def test_the_state_is_a_sentence_and_three_steps(
    client: FlaskClient, make_feedback: Callable[..., str]
) -> None:
    assert set(SAID) == set(STATUSES)
    for status, (sentence, states, last) in SAID.items():
        text = client.get(make_feedback(status=status)).get_data(as_text=True)
        assert f">{sentence}</h1>" in text
        assert re.findall(r'class="step step--(\w+)"', text) == states.split()
        assert re.findall(r'class="step__name">([^<]+)', text) == ["Received", "In progress", last]
        assert len(re.findall('aria-current="step"', text)) == 1


def test_the_page_shows_what_was_sent_and_nothing_of_the_teams(
    client: FlaskClient, make_feedback: Callable[..., str]
) -> None:
    address = make_feedback(
        description="<script>alert(1)</script> & more",
        url="https://shop.example/basket/?token=secret#total",
        rating=2,
        reporter_email="marta@example.com",
        admin_notes="a difficult customer",
        api_state={"cart": "internal-state"},
    )
    page = Page(client.get(address))
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page.text
    assert ">shop.example/basket</a>" in page.text
    assert "2 of 5" in page.text
    for hidden in ("difficult", "internal-state", "marta@example.com"):
        assert hidden not in page.text


def test_the_page_is_kept_from_search_engines_referrers_and_caches(
    client: FlaskClient, make_feedback: Callable[..., str]
) -> None:
    headers = client.get(make_feedback()).headers
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_an_address_that_is_not_of_the_web_is_no_link(
    client: FlaskClient, make_feedback: Callable[..., str]
) -> None:
    for url in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "http://["):
        address = make_feedback(url=url)
        page = Page(client.get(address))
        assert page.links == [f"{address}/copy", f"{address}/delete"]
        assert url not in page.text


def test_a_long_address_is_shortened_in_its_text_only() -> None:
    link = status_page.page_link("https://shop.example/" + "a" * 100)
    assert link is not None
    assert len(link.text) == status_page.LINK_LENGTH
    assert link.url.endswith("a" * 100)


def test_a_token_that_was_not_given_out_opens_nothing(
    client: FlaskClient, make_feedback: Callable[..., str]
) -> None:
    token = make_feedback().removeprefix("/f/")
    forged = (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        ("1" if token[0] == "0" else "0") + token[1:],
        token[:26],
        "x",
        token[:-1] + "é",
        token + "A",
    )
    assert client.get(f"/f/{token}").status_code == 200
    for one in forged:
        assert client.get(f"/f/{one}").status_code == 404, one
        assert client.get(f"/f/{one}/picture").status_code == 404, one


# The picture


@pytest.fixture
def with_picture(
    app: Flask, client: FlaskClient, address: str, kept: Callable[[], list[Feedback]]
) -> Callable[..., str]:
    """Send a picture by the form, let the worker have it, and set what the row says."""

    def make(image: bytes, **values: Any) -> str:
        response = send(client, address, image)
        assert response.status_code == 201
        row = kept()[-1]
        with app.app_context():
            number = db.session.scalar(select(Screenshot.id).where(Screenshot.feedback_id == row.id))
            db.session.rollback()
            assert number is not None
            encode_screenshot(number)
            with transaction() as session:
                found = session.get(Feedback, row.id)
                for name, value in values.items():
                    setattr(found, name, value)
        return status_address(response)

    return make


def test_a_picture_on_its_way_is_said_to_be(client: FlaskClient, address: str) -> None:
    status = status_address(send(client, address, png()))
    assert ENGLISH["picture.pending"] in client.get(status).get_data(as_text=True)
    assert client.get(f"{status}/picture").status_code == 404


def test_the_picture_is_sent_as_one_and_nothing_else(
    client: FlaskClient, with_picture: Callable[..., str]
) -> None:
    status = with_picture(png(900, 600))
    full, small = client.get(f"{status}/picture"), client.get(f"{status}/picture?size=thumb")
    for response in (full, small):
        assert response.mimetype == "image/webp"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "private" in response.headers["Cache-Control"]
        assert "Set-Cookie" not in response.headers
    assert Image.open(io.BytesIO(full.data)).size == (900, 600)
    assert Image.open(io.BytesIO(small.data)).width < 900
    again = client.get(f"{status}/picture", headers={"If-None-Match": full.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert full.headers["ETag"] != small.headers["ETag"]


def test_a_picture_whose_blob_is_gone_is_missing_not_broken(
    app: Flask, client: FlaskClient, with_picture: Callable[..., str]
) -> None:
    status = with_picture(png())
    with app.app_context():
        for blob in list(storage().list_keys()):
            storage().delete(blob.key)
    assert client.get(f"{status}/picture").status_code == 404


def test_a_picture_that_turned_out_broken_leaves_the_words(
    client: FlaskClient, with_picture: Callable[..., str]
) -> None:
    broken = png(400, 300)[:60] + b"\x00" * 40
    text = client.get(with_picture(broken)).get_data(as_text=True)
    assert ENGLISH["picture.failed"] in text
    assert WORDS in text


def test_marks_are_drawn_over_the_picture_in_css_pixels_of_the_page(
    client: FlaskClient, with_picture: Callable[..., str]
) -> None:
    shapes = [
        {"kind": "rectangle", "points": [[10, 20], [30, 60]], "color": "#d63a0f"},
        {"kind": "arrow", "points": [[0, 0], [100, 0]], "color": "#27509B"},
        {"kind": "arrow", "points": [[5, 5], [5, 5]]},
        {"kind": "pen", "points": [[1, 1], [2.5, 3], [4, 5]], "color": "red"},
        {"kind": "highlight", "points": [[1, 2], [3, 4]], "color": "#ffd400"},
        {"kind": "text", "points": [[7, 8]], "text": "<b>one</b>\ntwo", "color": 'url(#x)" onload="x'},
    ]
    text = client.get(with_picture(png(800, 400), annotation_coords=shapes, screenshot_scale=2.0)).get_data(
        as_text=True
    )
    drawn = text[text.rindex('<svg class="marks"') : text.rindex("</svg>")]
    assert 'viewBox="0 0 400.0 200.0"' in drawn
    assert '<path d="M10 20H30V60H10Z" stroke="#d63a0f"' in drawn
    assert '"M0 0L100 0L81.4 -11.7L100 0L81.4 11.7"' in drawn
    assert '<path d="M1 1L2.5 3L4 5" stroke="#d63a0f"' in drawn
    assert '<path d="M1 2H3V4H1Z" fill="#ffd400" fill-opacity="0.4"' in drawn
    assert '<text x="7" y="26">&lt;b&gt;one&lt;/b&gt;</text>' in drawn
    assert '<text x="7" y="50">two</text>' in drawn
    assert "onload" not in drawn
    assert set(re.findall(r'(?:stroke|fill)="([^"]+)"', drawn)) == {
        "none", "#ffffff", "#d63a0f", "#27509B", "#ffd400"
    }  # fmt: skip
    assert "Your picture, with 6 marks" in text


def test_marks_are_counted_in_words() -> None:
    t = words("en", {}, LanguageAccept())
    said = [status_page.caption(marks, t) for marks in (0, 1, 2)]
    assert said == ["Your picture", "Your picture, with 1 mark", "Your picture, with 2 marks"]


def test_a_store_that_is_away_is_said_to_be(
    app: Flask, client: FlaskClient, with_picture: Callable[..., str]
) -> None:
    status = with_picture(png())
    with app.app_context():
        folder = storage().folder
        key = db.session.scalar(select(Screenshot.blob_key))
        assert folder is not None
        assert key is not None
        (folder / key).unlink()
        (folder / key).symlink_to(folder / key)  # a loop cannot be read
    response = client.get(f"{status}/picture")
    assert (response.status_code, "Retry-After" in response.headers) == (503, True)


def test_the_page_takes_five_statements(
    app: Flask, client: FlaskClient, make_feedback: Callable[..., str]
) -> None:
    address = make_feedback()
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert client.get(address).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    # The submission, what was said about it, when it was settled; the policies, and which of them govern it.
    assert len([one for one in seen if one.lower().startswith("select")]) == 5


# Small rules


def test_every_refusal_has_its_words() -> None:
    t = words("en", {}, LanguageAccept())
    for status, code, said in (
        (409, "conflict", "refused.busy"),
        (503, "storage_unavailable", "refused.busy"),
        (403, "origin_not_allowed", "refused"),
    ):
        assert report_form.notice(ClientError(status, code, "No."), t) == ENGLISH[said]


def test_a_moment_is_written_with_its_zone() -> None:
    moment = utc_now().replace(year=2026, month=3, day=5, hour=14, minute=6)
    assert words("en", {}, LanguageAccept()).moment(moment) == "5 March 2026, 14:06 UTC"
    assert words("de", {}, LanguageAccept()).moment(moment) == "5. März 2026, 14:06 UTC"
