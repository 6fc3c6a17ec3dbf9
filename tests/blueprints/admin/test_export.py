"""Export: what is written, that no spreadsheet runs it, one moment's, flat in memory, resumable."""

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.blueprints.admin import export, export_api, export_command
from app.blueprints.admin.export import COLUMNS, DEFAULT_COLUMNS, Export
from app.blueprints.admin.export_formats import RISKY, CsvWriter, safe
from app.database.plans.explain import explain
from app.database.transactions import transaction
from app.extensions import db
from app.models import AuditEntry, Feedback
from app.models.inbox_filter import InboxFilter
from tests.blueprints.admin.conftest import TOKEN

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def fetch(client, bearer):
    """Export by the API as an admin; the parameters are those of the address."""
    headers = bearer("admin")

    def go(**parameters):
        return client.get("/admin/api/export", query_string=parameters, headers=headers)

    return go


@pytest.fixture
def run(app):
    def go(*arguments):
        return app.test_cli_runner().invoke(args=["export", *map(str, arguments)])

    return go


@pytest.fixture
def many(app, submit):
    """Add some submissions, a minute apart; returns their public ids, the oldest first."""

    def make(count, **values):
        return [submit(created_at=NOON + timedelta(minutes=n), **values) for n in range(count)]

    return make


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_csv_has_a_row_for_each_the_oldest_first_with_every_cell_quoted(fetch, submit):
    text = 'He said "no",\nthen left. 😀 مرحبا'
    second = submit(created_at=NOON + timedelta(hours=1), rating=4, description=text, is_read=True)
    first = submit(created_at=NOON)
    answer = fetch()
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8")
    assert "attachment; filename=" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Export-Rows"] == "2"
    rows = rows_of(answer)
    assert list(rows[0]) == list(DEFAULT_COLUMNS)
    assert [row["id"] for row in rows] == [first, second]
    assert rows[0]["created_at"] == "2026-11-01T12:00:00Z"
    assert (rows[1]["description"], rows[1]["rating"], rows[1]["is_read"]) == (text, "4", "true")
    assert (rows[0]["rating"], rows[0]["is_read"], rows[0]["project"]) == ("", "false", "Shop")
    assert all(line.startswith('"') for line in answer.text.split("\r\n")[:-1] if line)


def test_json_lines_keep_types_and_every_column(fetch, submit):
    submit(rating=5, custom={"release": "web-1"}, api_state={"a": [1, None]}, reporter_email="a@b.example")
    answer = fetch(format="jsonl", columns=",".join(COLUMNS))
    assert answer.content_type == "application/x-ndjson"
    (line,) = answer.text.splitlines()
    row = json.loads(line)
    assert list(row) == list(COLUMNS)
    assert (row["rating"], row["is_read"], row["custom"], row["tags"]) == (
        5,
        False,
        {"release": "web-1"},
        None,
    )
    assert row["api_state"] == {"a": [1, None]}


def test_the_filters_of_the_list_and_a_query_choose(fetch, submit, project):
    bug, idea = submit(category="bug"), submit(category="idea", status="closed")
    assert [row["id"] for row in rows_of(fetch(category="idea"))] == [idea]
    assert [row["id"] for row in rows_of(fetch(project=project.public_key, status="open"))] == [bug]
    asked = fetch(q="category:idea")
    assert [row["id"] for row in rows_of(asked)] == [idea]
    assert "X-Export-Rows" not in asked.headers, "nobody counted it"
    assert rows_of(fetch(status="spam")) == []


def test_a_byte_order_mark_is_written_on_request(fetch, submit):
    submit()
    assert fetch(bom="true").data.startswith(b"\xef\xbb\xbf")
    assert not fetch().data.startswith(b"\xef\xbb\xbf")


@one_database
@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"format": "xlsx"}, "format"),
        ({"columns": "id,password_hash"}, "columns"),
        ({"columns": "id,id"}, "columns"),
        ({"q": "status:"}, "q"),
        ({"limit": "5"}, "limit"),
        ({"status": "unknown"}, "status"),
        ({"project": "pk_none"}, "project"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_sent(fetch, app, parameters, field):
    answer = fetch(**parameters)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json["error"]["details"]] == [field]
    with app.app_context():
        assert db.session.scalar(select(AuditEntry.id).where(AuditEntry.action == "export.run")) is None
        db.session.rollback()


@given(st.text(max_size=30) | st.sampled_from(sorted(RISKY)).map(lambda sign: sign + "cmd|'/c calc'!A0"))
def test_no_cell_begins_as_a_formula_and_only_an_apostrophe_is_added(text):
    written = safe(text)
    assert not written or written[0] not in RISKY
    assert written in (text, "'" + text)


def test_a_hostile_submission_is_no_formula_in_any_column(fetch, submit):
    evil = '=HYPERLINK("https://evil.example","click")'
    submit(
        description=evil,
        url="https://shop.example/",
        reporter_name="@SUM(1)",
        browser="+1",
        session_id="-2",
        os="\t=1",
        custom={"=1": "=2"},
    )
    (row,) = rows_of(fetch(columns=",".join(COLUMNS)))
    assert row["description"] == "'" + evil
    assert not [name for name, value in row.items() if value and value[0] in RISKY]


def test_a_column_of_mixed_types_is_written_value_by_value():
    data = CsvWriter(["a"]).batch([[1], ["=x"], [None], [True]])
    assert data == b'"1"\r\n"\'=x"\r\n""\r\n"true"\r\n'


def test_what_arrives_while_it_runs_is_not_in_it_and_does_not_wait(app, many, submit, monkeypatch):
    monkeypatch.setattr(export, "ROWS_A_BATCH", 5)
    there = many(20)
    with app.app_context():
        batches = export.stream(Export(format="jsonl", columns=("id",), chosen=InboxFilter()))
        first = next(batches)
        submit()
        with transaction() as session:
            session.scalars(select(Feedback).where(Feedback.public_id == there[-1])).one().description = "new"
        rest = b"".join(batch.data for batch in batches)
    found = [json.loads(line)["id"] for line in (first.data + rest).splitlines()]
    assert found == there


def test_memory_stays_flat_however_many_rows(app, many, monkeypatch):
    """The most that is held at once is the same for four times as many rows: a batch, not the file."""
    monkeypatch.setattr(export, "ROWS_A_BATCH", 20)
    wanted = Export(format="csv", columns=DEFAULT_COLUMNS, chosen=InboxFilter())
    peaks, sizes = [], []
    for more in (100, 300):
        many(more, description="x" * 5_000)
        with app.app_context():
            sum(len(batch.data) for batch in export.stream(wanted))  # what is loaded once, is loaded
            tracemalloc.start()
            sizes.append(sum(len(batch.data) for batch in export.stream(wanted)))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert sizes[1] > 3.5 * sizes[0]
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < sizes[1] / 2


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_a_reader_that_is_too_slow_is_cut_off_and_lets_go(app, many):
    many(3)
    with app.app_context():
        batches = export.stream(
            Export(format="jsonl", columns=("id",), chosen=InboxFilter()), budget_seconds=1e-9
        )
        with pytest.raises(TimeoutError):
            list(batches)
        assert db.engine.pool.checkedout() == 0


def test_only_a_few_run_side_by_side_and_each_gives_its_place_back(fetch, submit):
    submit()
    for _ in range(export_api.SIDE_BY_SIDE + 1):
        assert fetch().status_code == 200
    for _ in range(export_api.SIDE_BY_SIDE):
        assert export_api._places.acquire(blocking=False)
    refused = fetch()
    for _ in range(export_api.SIDE_BY_SIDE):
        export_api._places.release()
    assert (refused.status_code, refused.json["error"]["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"]


def test_an_export_is_written_down_with_what_it_held(fetch, app, submit):
    submit()
    fetch(category="bug", format="jsonl", columns="id")
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export.run")).one()
        details = json.loads(entry.details)
        assert details == {"columns": ["id"], "filter": {"category": "bug"}, "format": "jsonl"}
        assert entry.actor == "token-admin@example.org"
        db.session.rollback()


@one_database
def test_the_oldest_first_comes_by_an_index(app, project):
    wanted = Export(format="csv", columns=DEFAULT_COLUMNS, chosen=InboxFilter())
    with app.app_context():
        text = str(export.statement(wanted).compile(db.engine, compile_kwargs={"literal_binds": True}))
        plan = explain(db.session.connection(), text)
        db.session.rollback()
    assert "ix_feedback_submissions_created" in plan.indexes


def test_the_command_writes_a_file_and_says_how_much(run, many, tmp_path):
    ids = many(7)
    target = tmp_path / "all.jsonl"
    done = run("--format", "jsonl", "--columns", "id", "--output", target, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"] == 7
    assert [json.loads(line)["id"] for line in target.read_text("utf-8").splitlines()] == ids
    assert [path.name for path in tmp_path.glob("all.*")] == ["all.jsonl"]
    again = run("--format", "jsonl", "--columns", "id", "--output", target)
    assert again.exit_code == 1
    assert "is there already" in again.output


def test_the_command_writes_to_standard_output_what_a_query_finds(run, submit):
    submit(category="bug")
    idea = submit(category="idea")
    done = run("--query", "category:idea", "--columns", "id")
    assert done.stdout.replace("\r", "") == f'"id"\n"{idea}"\n'


def test_an_interrupted_export_goes_on_where_it_was(run, many, tmp_path, monkeypatch):
    ids = many(30)
    monkeypatch.setattr(export, "ROWS_A_BATCH", 4)
    monkeypatch.setattr(export_command, "BATCHES_BETWEEN_STATES", 2)
    target, options = tmp_path / "all.csv", ("--columns", "id,description")

    def broken(*arguments, **options):
        for number, batch in enumerate(export.stream(*arguments, **options)):
            if number == 5:
                raise KeyboardInterrupt
            yield batch

    with monkeypatch.context() as patched:
        patched.setattr(export_command, "stream", broken)
        assert run(*options, "--output", target).exit_code != 0
    part = tmp_path / "all.csv.part"
    with part.open("ab") as file:
        file.write(b'"half a ro')  # what a killed process had begun
    assert run(*options, "--output", target).exit_code == 1, "an unfinished file is not written over"
    other = run("--columns", "id", "--output", target, "--resume")
    assert "begun with other options" in other.output
    done = run(*options, "--output", target, "--resume", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["resumed"] is True
    rows = list(csv.DictReader(io.StringIO(target.read_bytes().decode(), newline="")))
    assert [row["id"] for row in rows] == ids
    assert [path.name for path in tmp_path.glob("all.*")] == ["all.csv"]


@one_database
@pytest.mark.parametrize(
    "wrong",
    [
        ("--format", "xlsx"),
        ("--query", "status:"),
        ("--columns", "nothing"),
        ("--resume",),
        ("--json",),
    ],
)
def test_nonsense_on_the_command_line_is_wrong_usage(run, wrong):
    assert run(*wrong).exit_code == 2


@one_database
def test_going_on_with_nothing_is_refused(run, tmp_path):
    done = run("--output", tmp_path / "none.csv", "--resume")
    assert done.exit_code == 1
    assert "nothing to go on with" in done.output


@one_database
def test_the_page_leads_to_the_file_and_says_what_is_wrong(sign_in, submit):
    browser = sign_in()
    public_id = submit()
    page = browser.get("/admin/export")
    assert page.status_code == 200
    assert TOKEN.search(page.text)
    chosen = browser.get("/admin/export?run=1&format=csv&project=&status=open&q=&columns=id&columns=status")
    assert chosen.location == "/admin/api/export?format=csv&status=open&columns=id,status"
    assert public_id in browser.client.get(chosen.location).text
    wrong = browser.get("/admin/export?run=1&format=csv&q=status:&columns=id")
    assert wrong.status_code == 422
    assert "At character" in wrong.text
