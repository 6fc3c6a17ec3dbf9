"""The performance pages: what they say of traffic that was really measured, on both databases."""

import csv
import io
import os
import re
from datetime import timedelta

import pytest
from sqlalchemy import insert

from app.blueprints.performance import pages_routes
from app.clock import utc_now
from app.database.advice import choosing
from app.database.plans.plan import Finding, Node, Plan
from app.database.tracking.watch import current_watcher
from app.database.transactions import current_session
from app.models.user import ROLES, role_covers

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
BASE = "/admin/performance"
PAGES = ("", "/statements", "/slow", "/routes", "/indexes", "/resources", "/plan")
INBOX_LIST = "feedback_submissions"
SCAN = Finding("full_scan", "bad", "3,809 rows are read.", "Make an index on session_id.", "feedback", ())
PLAN = Plan(
    "sqlite",
    (Node("Aggregate", "AGGREGATE", children=(Node("Scan feedback", "SCAN feedback", findings=(SCAN,)),)),),
    (SCAN,),
)


@pytest.fixture
def flush(app):
    """Write what was measured so far."""

    def write():
        with app.app_context():
            assert current_watcher().flush()

    return write


@pytest.fixture
def headers(bearer):
    return {**bearer("admin"), "Accept": "text/html"}


@pytest.fixture
def admin(client, headers):
    def get(path, **options):
        return client.get(BASE + path, headers=headers, **options)

    return get


@pytest.fixture
def post(client, headers):
    def send(path, **form):
        return client.post(BASE + path, headers=headers, data=form)

    return send


@pytest.fixture
def traffic(client, bearer, flush, project):
    """Load the inbox a few times, and write what that measured."""
    headers = bearer("viewer")
    for _ in range(3):
        assert client.get("/admin/", headers=headers).status_code == 200
    flush()


@pytest.fixture
def slow_runs(app):
    """Put runs into the slow log, the newest first in the list."""

    def put(number, text="SELECT count(*) FROM feedback WHERE session_id = ?", **values):
        with app.app_context():
            table, now = current_watcher().tables.slow, utc_now()
            rows = [
                {
                    "created_at": now - timedelta(seconds=n),
                    "fingerprint": "5e65811fbea1",
                    "text": text,
                    "origin": "GET /f/<token>",
                    "request_id": f"request-{n}",
                    "line": "reporter/page.py:41",
                    "duration_us": 390_000 - n,
                    "rows": 1,
                    "error": None,
                    "plan": PLAN.as_json(),
                }
                | values
                for n in range(number)
            ]
            current_session().execute(insert(table), rows)
            current_session().commit()

    return put


def text_of(answer):
    """Return the words of a page on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def links_of(answer, pattern):
    return [link.replace("&amp;", "&") for link in re.findall(rf'href="({pattern})"', answer.text)]


def test_every_page_stands_before_anything_was_measured(admin):
    for path in PAGES:
        answer = admin(path)
        assert answer.status_code == 200, (path, answer.text)
        assert "<h1" in answer.text, path


def test_every_page_stands_over_measured_traffic(admin, traffic):
    for path in PAGES:
        for since in ("1h", "24h", "7d", "2026-01-01T00:00:00Z"):
            answer = admin(path, query_string={"since": since})
            assert answer.status_code == 200, (path, since, answer.text)


@one_database
@pytest.mark.parametrize("role", ROLES)
def test_the_pages_are_for_admins(app, client, bearer, role):
    headers = bearer(role)
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("performance.")]
    assert {rule.endpoint for rule in rules} == set(pages_routes.ACCESS)
    for rule in rules:
        address = rule.rule.replace("<fingerprint>", "none")
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            status = client.open(address, method=method, headers=headers).status_code
            assert (status == 403) is not role_covers(role, "admin"), (method, address, status)
            assert status < 500, (method, address, status)


@one_database
def test_nobody_sees_a_page_without_signing_in(client):
    for path in PAGES:
        answer = client.get(BASE + path)
        assert answer.status_code == 302
        assert answer.location.startswith("/admin/sign-in?next=")


@one_database
def test_only_admins_are_shown_the_way(client, bearer):
    assert f'href="{BASE}"' in client.get("/admin/", headers=bearer("admin")).text
    assert f'href="{BASE}"' not in client.get("/admin/", headers=bearer("agent")).text


def test_the_overview_says_how_all_is_and_what_takes_time(admin, traffic):
    page = text_of(admin(""))
    assert re.search(r"(All well|Well, with|Not well)", page)
    assert re.search(r"p95 is [\d.,<]+ (µs|ms|s), the database [\d.,]+ (KB|MB)", page)
    assert "Statements by share of time" in page
    assert "SELECT" in page


def test_a_fresh_overview_names_no_percentile(admin):
    page = text_of(admin(""))
    assert "Nothing was asked of it yet. The database" in page
    assert "p95 is" not in page
    assert "Each kind of statement stands here" in page


def test_a_route_that_repeats_a_statement_is_named_with_its_statement(app, admin, client, headers, flush):
    @app.get("/repeats")
    def repeats():
        for _ in range(9):
            current_session().connection().exec_driver_sql("select id from users where role = 'nobody'").all()
        return "done"

    app.extensions["earmark_access"]["repeats"] = "admin"
    assert client.get("/repeats", headers=headers).status_code == 200
    flush()
    assert "GET /repeats asks 9 times to find users by role" in text_of(admin(""))
    page = admin("/routes")
    assert "up to 9 times a request, in 1 request" in text_of(page)
    assert 'id="route-get--repeats"' in page.text


def test_statements_are_found_by_a_part_of_their_sql(admin, traffic):
    found = admin("/statements", query_string={"search": "from PROJECTS"})
    assert "projects" in text_of(found)
    assert "daily_counts" not in re.sub(r"<title>.*", "", found.text).split("<tbody>")[1].split("title=")[0]
    none = text_of(admin("/statements", query_string={"search": "no such <table>"}))
    assert "No statement has “no such &lt;table&gt;” in its SQL." in none


def test_statements_stand_in_the_order_that_is_asked_for(admin, traffic):
    page = admin("/statements", query_string={"sort": "count"})
    found = re.findall(r'%</span></span></td>\s*<td class="number">([\d,]+)</td>', page.text)
    counts = [int(count.replace(",", "")) for count in found]
    assert len(counts) > 2
    assert counts == sorted(counts, reverse=True)
    assert 'aria-sort="descending"' in page.text


@one_database
def test_an_address_that_asks_for_nothing_known_is_refused(admin):
    for query in ({"sort": "name"}, {"sort": "' or 1=1"}, {"since": "tomorrow"}, {"since": "-1h"}):
        for path in ("/statements", "/routes", "/statements.csv"):
            assert admin(path, query_string=query).status_code == 422, (path, query)


def test_statements_as_csv_are_those_of_the_page(admin, traffic):
    answer = admin("/statements.csv", query_string={"sort": "count"})
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(row["count"]) for row in rows] == sorted((int(row["count"]) for row in rows), reverse=True)
    assert any(INBOX_LIST in row["statement"] or "projects" in row["statement"] for row in rows)
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1, abs=0.01)


def test_a_statement_has_a_page_with_its_runs_and_its_plan(admin, traffic):
    links = links_of(
        admin("/statements", query_string={"search": "from projects"}), rf"{BASE}/statements/\w+"
    )
    # Which of them took longest differs from run to run.
    pages = [admin(link.removeprefix(BASE)) for link in links]
    assert {page.status_code for page in pages} == {200}
    issued = "Issued by Who Line Runs GET /admin/"
    page = next(one for one in pages if "List projects" in text_of(one) and issued in text_of(one))
    words = text_of(page)
    assert "How long it took" in words
    assert 'class="histogram"' in page.text
    assert "about" in words.split("runs it")[1]


def test_a_statement_that_never_ran_is_not_there(admin):
    assert admin("/statements/000000000000").status_code == 404
    assert admin("/statements/..%2f..%2fetc").status_code == 404


def test_the_slow_log_is_paged_and_shows_plans(admin, slow_runs):
    slow_runs(60)
    first = admin("/slow")
    assert first.text.count('class="run"') == 50
    assert "Reads the whole table" in first.text
    assert "Make an index on session_id." in first.text
    (older,) = links_of(first, rf"{BASE}/slow\?[^\"]*cursor=[^\"]*")
    second = admin(older.removeprefix(BASE))
    assert second.text.count('class="run"') == 10
    assert "request-59" in second.text
    (newer,) = links_of(second, rf"{BASE}/slow\?[^\"]*cursor=[^\"]*")
    assert "request-0<" in admin(newer.removeprefix(BASE)).text


def test_the_slow_log_of_one_statement(admin, slow_runs):
    slow_runs(2)
    slow_runs(1, "SELECT other FROM elsewhere", fingerprint="aaaaaaaaaaaa")
    page = text_of(admin("/slow", query_string={"fingerprint": "aaaaaaaaaaaa"}))
    assert "Find elsewhere" in page
    assert "Count feedback by session" not in page


@one_database
def test_a_cursor_of_another_list_leads_to_the_first_page(admin, slow_runs):
    slow_runs(60)
    answer = admin("/slow", query_string={"cursor": "x" * 40, "since": "7d"})
    assert (answer.status_code, answer.location) == (303, f"{BASE}/slow?since=7d")


@one_database
def test_sql_and_callers_are_shown_and_never_run_as_html(admin, slow_runs):
    slow_runs(1, "SELECT '<i onload>' FROM t", origin="GET /<img src=x>", error="<u>x</u>")
    page = admin("/slow").text
    for harmful in ("<i onload>", "<img src=x>", "<u>x</u>"):
        assert harmful not in page
        assert harmful.replace("<", "&lt;").replace(">", "&gt;") in page


def test_starting_afresh_forgets_the_figures_and_the_log(admin, post, traffic, slow_runs):
    slow_runs(1)
    assert "List projects" in admin("/statements").text
    answer = post("/forget")
    assert (answer.status_code, answer.location) == (303, BASE)
    assert "Nothing ran in this time." in text_of(admin("/statements"))
    assert "No statement took" in text_of(admin("/slow"))


def test_a_plan_is_read_and_its_faults_are_marked(admin, post):
    sql = "select count(*) from feedback_submissions where lower(description) = 'x'"
    page = post("/plan", sql=sql)
    assert page.status_code == 200, page.text
    assert "Reads the whole table" in text_of(page)
    assert "select count(*) from feedback_submissions" in page.text


def test_what_is_no_reading_statement_is_refused_at_the_field(post):
    refused = (
        "",
        "  ",
        "delete from users",
        "select 1; select 2",
        "selec",
        "pragma query_only = 0",
        "x" * 20_001,
    )
    for sql in refused:
        page = post("/plan", sql=sql)
        assert page.status_code == 422, sql[:40]
        assert 'aria-invalid="true"' in page.text
        assert "field__error" in page.text
        assert sql.strip() in page.text


def test_only_an_index_that_the_advice_could_offer_is_built(post):
    for ddl in ("", "drop table users", "create index ix_x on users (nothing)"):
        assert post("/indexes", ddl=ddl).status_code == 422, ddl


def test_an_advised_index_is_built_and_named(admin, post, ask_for_things):
    ask_for_things()
    offer = admin("/indexes").text
    ddl = re.search(r'name="ddl" value="(create index [^"]*things[^"]*)"', offer)[1]
    fingerprint = re.search(r'name="fingerprint" value="([0-9a-f]{12})"', offer)[1]
    assert post("/indexes", ddl=ddl.replace("colour", "size")).status_code == 422
    answer = post("/indexes", ddl=ddl, since="7d", fingerprint=fingerprint)
    assert answer.status_code == 303, answer.text
    assert answer.location == f"{BASE}/indexes?since=7d&built=ix_things_colour"
    page = text_of(admin("/indexes", query_string={"built": "ix_things_colour"}))
    assert "ix_things_colour is built" in page
    assert post("/indexes", ddl=ddl).status_code == 422, "it is there now, and no longer advised"


def test_a_search_for_indexes_that_was_cut_short_says_so(admin, post, ask_for_things, monkeypatch):
    ask_for_things()
    assert "Time was over" not in text_of(admin("/indexes"))
    monkeypatch.setattr(choosing, "BUDGET_SECONDS", -1.0)
    for page in (admin("/indexes"), post("/plan", sql="select id from things where colour = 'colour 17'")):
        said = text_of(page)
        assert "Time was over before all was tried: 0 of " in said
        assert "No index would help" not in said


@one_database
def test_the_indexes_of_the_watching_itself_are_left_out(admin, traffic):
    page = admin("/indexes").text
    assert "ix_feedback_submissions_session" in page
    assert "query_statistics" not in page
    assert "slow_queries" not in page


@one_database
def test_a_name_in_the_address_is_no_index(admin):
    assert "is built" not in admin("/indexes", query_string={"built": "ix_<script>"}).text


def test_ending_what_does_not_run_is_refused(post):
    assert post("/resources/end", id="1-1").status_code == 404
    assert post("/resources/end").status_code == 404


def test_resources_show_disks_database_pool_and_processes(admin, traffic, database):
    page = text_of(admin("/resources"))
    assert {"sqlite": "Kind SQLite", "postgresql": "Kind PostgreSQL"}[database] in page
    assert "of 100" in page
    assert "Room enough" in page or "Fills up" in page or "Nearly full" in page
    assert f" {os.getpid()} " in page.split("Processes")[1]


@one_database
def test_a_form_without_its_token_changes_nothing(client, make_user, flush):
    user = make_user("admin")
    page = client.get("/admin/sign-in").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    form = {"csrf_token": token, "email": user.email, "password": "correct horse battery"}
    assert client.post("/admin/sign-in", data=form).status_code == 303
    flush()
    for path in ("/forget", "/indexes", "/resources/end", "/plan"):
        assert client.post(BASE + path, data={}).status_code == 403
    assert "Nothing ran in this time." not in client.get(BASE + "/statements").text


@one_database
def test_pages_say_when_nothing_is_timed(make_app, make_user):
    app = make_app(query_tracking=False)
    client = app.test_client()
    page = client.get("/admin/sign-in").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    form = {"csrf_token": token, "email": make_user("admin").email, "password": "correct horse battery"}
    client.post("/admin/sign-in", data=form)
    assert "Statements are not timed" in client.get(BASE).text


@one_database
def test_no_page_needs_what_the_policy_forbids(admin, traffic, slow_runs):
    slow_runs(3)
    links = links_of(admin("/statements"), rf"{BASE}/statements/\w+")
    for path in (*PAGES, links[0].removeprefix(BASE)):
        page = admin(path).text
        assert " style=" not in page, path
        assert "<style" not in page, path
        assert not re.search(r" on[a-z]+=", page), path
