"""The dashboard: its figures by API, CSV and page, and that each leads to the inbox that it counts."""

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, func, select

from app.blueprints.admin import dashboard_wording as words
from app.blueprints.admin.dashboard_charts import CHARTS
from app.blueprints.admin.dashboard_figures import colour_of
from app.clock import utc_now
from app.database.transactions import transaction
from app.extensions import db
from app.models import Feedback, rollup
from app.models.query import QueryContext, parse
from app.models.rollup.periods import periods

PAGE = "/admin/dashboard"
CHART = "/admin/api/charts/"
METRICS = "/admin/api/metrics"


@pytest.fixture
def sent(app, submit, project):
    """A few submissions of the last days: answered, settled, junk, and one that is not counted yet."""
    now = utc_now().replace(microsecond=0)
    shop, given = "https://shop.example/basket", {"browser": "Chrome 141", "os": "Windows 11"}
    for hours, values in (
        (30, {"category": "idea", "url": shop, "rating": 4, "status": "resolved", "is_read": True} | given),
        (50, {"category": "bug", "url": shop, "custom": {"release": "web-1"}} | given),
        (60, {"category": "bug", "url": "https://shop.example/", "status": "spam"}),
        (24 * 40, {"category": "bug", "status": "in_progress"}),
    ):
        moment = now - timedelta(hours=hours)
        submit(created_at=moment, updated_at=moment, **values)
    with app.app_context():
        with transaction() as session:
            found = session.scalars(select(Feedback).order_by(Feedback.id)).unique().all()[0]
            with found.counted(session):
                found.first_answered_at = found.created_at + timedelta(hours=2)
                found.settled_at = found.created_at + timedelta(hours=20)
        rollup.fold_all()
    submit(created_at=now, category="=cmd", url=shop)
    return now


@pytest.fixture
def get(client, bearer):
    headers = bearer("viewer")

    def get(address, **query):
        return client.get(address, headers=headers, query_string=query)

    return get


def test_metrics_have_the_names_and_figures_of_the_contract(get, sent, project):
    data = get(METRICS, days=30).get_json()["data"]
    expected = {
        "total_submissions": 5,
        "total_screenshots": 0,
        "total_screenshot_storage_kb": 0,
        "total_screenshot_storage_mb": 0,
        "avg_screenshot_size_kb": 0,
        "max_screenshot_size_kb": 0,
        "submissions_last_24h": 1,
        "submissions": 3,
        "submissions_before": 1,
        "open": 2,
        "in_progress": 1,
        "unread": 2,
    }
    assert {name: data[name] for name in expected} == expected
    assert data["first_answer_median_s"] == pytest.approx(2 * 3600, rel=0.025)
    assert data["settle_median_s"] == pytest.approx(20 * 3600, rel=0.025)
    assert data["by_status"] == {"open": 2, "in_progress": 1, "resolved": 1, "spam": 1}
    assert get(METRICS, project=project.public_key).get_json()["data"]["submissions"] == 3


@pytest.mark.parametrize("name", CHARTS)
def test_each_chart_has_as_many_numbers_as_labels_as_json_and_csv(get, sent, name):
    data = get(CHART + name, days=30).get_json()["data"]
    assert data["labels"]
    assert all(len(one["values"]) == len(data["labels"]) for one in data["series"])
    answer = get(CHART + name, days=30, format="csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert answer.mimetype == "text/csv"
    assert len(rows) == len(data["labels"]) + 1
    assert {len(row) for row in rows} == {len(data["series"]) + 1}


def test_no_cell_of_a_csv_is_a_formula(get, sent):
    assert "'=cmd" in get(CHART + "submissions", format="csv").text.splitlines()[0]


def test_a_chart_begins_its_days_where_the_viewers_do(get, sent):
    data = get(CHART + "submissions", days=3, tz="Asia/Kathmandu", step="day").get_json()["data"]
    assert [label[10:] for label in data["labels"]] == ["T00:00:00+05:45"] * 3
    assert sum(map(sum, (one["values"] for one in data["series"]))) >= 2


def test_what_was_answered_before_is_answered_304(client, bearer, sent):
    headers = bearer("viewer")
    for address in (CHART + "submissions", CHART + "pages?format=csv", CHART + "statuses"):
        first = client.get(address, headers=headers)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = client.get(address, headers=headers | {"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_a_new_submission_changes_the_answer_at_once(client, bearer, sent, submit):
    headers = bearer("viewer")
    first = client.get(CHART + "categories", headers=headers)
    submit(category="idea")
    again = client.get(CHART + "categories", headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("address", "query", "status", "field"),
    [
        (METRICS, {"days": 0}, 422, "days"),
        (METRICS, {"days": 366}, 422, "days"),
        (METRICS, {"days": "x"}, 422, "days"),
        (METRICS, {"tz": "Mars/Olympus"}, 422, "tz"),
        (METRICS, {"tz": "../../etc/passwd"}, 422, "tz"),
        (METRICS, {"project": "pk_none"}, 422, "project"),
        (CHART + "submissions", {"step": "minute"}, 422, "step"),
        (CHART + "submissions", {"format": "xml"}, 422, "format"),
        (CHART + "nonsense", {}, 404, None),
        (PAGE, {"days": "-1"}, 422, "days"),
        (PAGE, {"days": "9" * 30}, 422, "days"),
        (PAGE, {"tz": "nowhere"}, 422, "tz"),
        (PAGE, {"project": "pk_none"}, 422, "project"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_cannot_be_asked_names_its_field(get, address, query, status, field):
    answer = get(address, **query)
    assert answer.status_code == status
    if field and answer.is_json:
        assert [fault["field"] for fault in answer.get_json()["error"]["details"]] == [field]


def numbers(page):
    """Return the links of the page and the number that each says."""
    found = re.findall(
        r'<a[^>]*href="(/admin/\?[^"]+)"[^>]*>(.*?)</a>(?:\s*<span class="bar__count">([\d,]+))?', page, re.S
    )
    for href, inside, beside in found:
        number = beside or re.sub(r"<[^>]+>", "", inside).strip()
        if number.replace(",", "").isdigit():
            yield html.unescape(href), int(number.replace(",", ""))


def counted(href, now):
    """Count what the inbox would list at an address of its own."""
    args = {name: values[0] for name, values in parse_qs(urlsplit(href).query).items()}
    query = select(func.count(Feedback.id))
    if args.get("status", "open") != "any":
        query = query.where(Feedback.status == args.get("status", "open"))
    if args.get("is_archived") != "any":
        query = query.where(Feedback.is_archived.is_(False))
    for name in ("category",):
        if name in args:
            query = query.where(getattr(Feedback, name) == args[name])
    for name in ("is_read", "has_screenshot"):
        if name in args:
            query = query.where(getattr(Feedback, name).is_(args[name] == "true"))
    if "q" in args:
        query = query.where(*parse(args["q"]).conditions(QueryContext(now)))
    return db.session.scalar(query)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_every_figure_that_is_a_link_leads_to_as_many_submissions(app, get, sent, zone):
    page = get(PAGE, tz=zone).text
    found = list(numbers(page))
    assert len(found) > 15
    with app.app_context():
        wrong = {
            href: (number, counted(href, utc_now()))
            for href, number in found
            if number != counted(href, utc_now())
        }
    assert wrong == {}


def test_the_page_keeps_range_project_and_zone_in_its_address(get, sent, project):
    page = html.unescape(get(PAGE, days=84, project=project.public_key, tz="Asia/Kolkata").text)
    assert f'href="/admin/dashboard?days=7&project={project.public_key}&tz=Asia/Kolkata"' in page
    assert 'aria-current="true">12 weeks' in page
    assert "New, last 84 days" in page


def test_the_page_takes_the_zone_that_the_browser_said_and_bears_a_wrong_one(client, bearer, sent):
    headers = bearer("viewer")
    for said, taken in (("Asia/Tokyo", "Asia/Tokyo"), ("nowhere", "UTC")):
        client.set_cookie("zone", said)
        assert f'data-zone="{taken}"' in client.get(PAGE, headers=headers).text


def test_an_empty_instance_says_what_will_stand_here(get, project):
    page = get(PAGE).text
    assert "Nothing was sent yet" in page
    assert "No submissions in this time." in page


def test_releases_first_heard_of_on_one_day_share_their_mark(app, get, submit):
    for release in ("1.2", "1.3"):
        submit(category="bug", custom={"release": release})
    with app.app_context():
        rollup.fold_all()
    assert 'data-mark="1.2, 1.3 released"' in get(PAGE, days=7).text


def test_hostile_words_stand_on_the_page_as_words(get, submit):
    hostile = '"><img src=x onerror=alert(1)>'
    submit(
        category="bug", url=f"https://shop.example/{hostile}", custom={"release": hostile}, browser=hostile
    )
    page = get(PAGE).text
    assert "<img src=x" not in page
    assert "onerror=alert(1)&gt;" in page


def test_the_page_takes_few_statements_however_long_the_range(app, get, sent):
    seen = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda _c, _u, text, *_rest: seen.append(text))
    taken = []
    for days in (7, 30, 365):
        get(PAGE, days=days, tz="Europe/Stockholm")
        taken.append(sum(text.startswith("SELECT") and "api_tokens" not in text for text in seen))
        seen.clear()
    # Rail 1, pickers 1, figures 15, whether the clocks changed meanwhile or not.
    assert taken == [17, 17, 17]


def test_the_same_category_has_the_same_colour_everywhere():
    assert [colour_of(key) for key in ("bug", "idea", "question", "praise", "other")] == [1, 2, 3, 4, 5]
    assert colour_of("checkout") == colour_of("checkout")
    assert colour_of("checkout") in (6, 7, 8)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (20, "1 min"),
        (720, "12 min"),
        (3600, "1 h"),
        (11_400, "3 h 10 min"),
        (207_360, "2.4 days"),
        (864_000, "10 days"),
    ],
)
def test_durations_are_written_as_people_say_them(seconds, written):
    assert words.duration(seconds) == written


def test_changes_are_said_in_words_and_only_speed_is_judged():
    assert words.more_or_fewer(891, 779, "before") == "112 more than before"
    assert words.more_or_fewer(1, 1, "before") == "as many as before"
    assert words.faster_or_slower(11_400, 13_800) == ("40 min faster", "good")
    assert words.faster_or_slower(2.7 * 86_400, 2.4 * 86_400) == ("0.3 days slower", "warn")
    assert words.faster_or_slower(100, None) == ("nothing to compare with", "")


def test_a_period_is_named_by_its_step():
    start = datetime(2026, 11, 19, tzinfo=UTC)
    assert words.period(start, "day") == ("19 Nov", "Thursday 19 November")
    assert words.period(start, "week")[1] == "Week from Thursday 19 November"
    assert words.period(start.replace(day=1), "month") == ("Nov", "November 2026")
    assert periods(1, ZoneInfo("UTC"), start, "hour").starts == (start,)
