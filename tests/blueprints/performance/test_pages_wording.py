"""Figures, SQL and findings in words: values in, what a page says out."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.blueprints.performance import pages_findings as findings
from app.blueprints.performance import pages_routes
from app.blueprints.performance import pages_wording as wording
from app.blueprints.performance.pages_drawing import BARS_HEIGHT, MOST_COLUMNS, histogram, sparkline
from app.blueprints.performance.pages_filters import costs, ddl_lines, migration, moment, uncapital
from app.blueprints.performance.pages_indexes import VERDICTS, LastViews, rows_of
from app.blueprints.performance.pages_sql import brief, lines
from app.blueprints.performance.pages_statement import as_csv
from app.blueprints.performance.pages_statements import short_line, starts
from app.blueprints.performance.pages_titles import title
from app.blueprints.performance.views import IndexView
from app.database.advice.advise import Gain, IndexAdvice
from app.database.advice.indexes import IndexReport
from app.database.gauges.alerts import Alert
from app.database.plans.plan import Finding, Plan
from app.database.tracking.figures import (
    Caller,
    Column,
    Overview,
    Point,
    ProcessFigures,
    Repeat,
    RouteFigures,
    StatementFigures,
    Timing,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
COUNTING = "SELECT count(*) FROM feedback_submissions WHERE session_id = ? AND is_archived = ?"


def timing(avg_ms=50.0, p95_ms=155.0, count=1914):
    return Timing(count, avg_ms * count, avg_ms, 0.1, 400, 28, p95_ms, 315)


def statement(text=COUNTING, fingerprint="c41f9a72aaaa", slow=61, share=0.14, **values):
    callers = (Caller("GET /f/<token>", "reporter/page.py:41", 1702),)
    return StatementFigures(fingerprint, text, timing(**values), 1914, 0, slow, share, NOW, callers)


def advice(fingerprint="c41f9a72aaaa", code="full_scan", columns=("session_id", "is_archived")):
    before = Plan(
        "sqlite", (), (Finding(code, "bad", "All is read.", "Make an index.", "feedback_submissions"),)
    )
    gain = Gain(fingerprint, COUNTING, 1914, 3809, 3, 50, 0.004, before, Plan("sqlite", (), ()))
    ddl = f"create index ix_x on feedback_submissions ({', '.join(columns)})"
    return IndexAdvice(
        "ix_x",
        "feedback_submissions",
        columns,
        ddl,
        (gain,),
        3809,
        3,
        120 * 1024,
        1.2,
        6,
        (),
        "own",
        "Tried.",
    )


def report(name="ix_a", verdict="unused", size=1024):
    return IndexReport(name, "feedback", ("a",), False, size, (), verdict, "Because.")


@pytest.fixture
def addresses():
    """The pages' addresses, for links."""
    app = Flask(__name__)
    app.register_blueprint(pages_routes.blueprint)
    return app.test_request_context()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.001, "<0.01"),
        (0.031, "0.03"),
        (0.4, "0.4"),
        (9.94, "9.9"),
        (9.96, "10"),
        (41206, "41,206"),
    ],
)
def test_a_figure_has_the_digits_that_count(value, words):
    assert wording.figure(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0 ms"),
        (0.0031, "3.1 µs"),
        (0.2, "0.2 ms"),
        (155, "155 ms"),
        (12_345, "12 s"),
        (240_000, "4 min"),
    ],
)
def test_a_duration_has_its_unit(value, words):
    assert wording.milliseconds(value) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0 %"), (0.0001, "<0.1 %"), (0.004, "0.4 %"), (0.021, "2 %"), (0.38, "38 %"), (1, "100 %")],
)
def test_a_share_is_a_percentage(share, words):
    assert wording.percent(share) == words


def test_a_share_that_stands_alone_has_one_digit_more():
    assert [wording.finer_percent(share) for share in (0.021, 0.0999, 0.38)] == ["2.1 %", "10 %", "38 %"]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (None, ""),
        (1.2, "about a day"),
        (9, "about 9 days"),
        (21, "about 3 weeks"),
        (426, "about 14 months"),
        (1500, "about 4 years"),
        (9000, "more than ten years"),
    ],
)
def test_when_a_disk_is_full(days, words):
    assert wording.until_full(days) == words


def test_counts_ages_and_edges():
    assert [wording.short(value) for value in (41206, 178_584, 1_234_567_872, 179_140_944)] == [
        "41,206",
        "179 k",
        "1.2 G",
        "179 M",
    ]
    assert [wording.rounded(value) for value in (164_280, 1_200_000, 2e6, 3.4e9)] == [
        "164,280",
        "1.2 million",
        "2 million",
        "3.4 billion",
    ]
    assert [wording.in_words(value) for value in (0, 1, 9, 10)] == ["no", "one", "nine", "10"]
    assert [wording.times(value) for value in (1, 2, 61)] == ["once", "twice", "61 times"]
    assert [wording.edge(value) for value in (0.512, 131.07, 4194.3)] == ["0.5", "131", "4.2 s"]
    lengths = [
        timedelta(0),
        timedelta(seconds=4),
        timedelta(minutes=14),
        timedelta(hours=47),
        timedelta(days=3),
    ]
    assert [wording.ago(NOW - length, NOW) for length in lengths] == [
        "now",
        "4 s ago",
        "14 min ago",
        "47 h ago",
        "3 days ago",
    ]
    days = (NOW, NOW - timedelta(days=7), NOW - timedelta(days=400))
    assert [wording.on_day(day, NOW) for day in days] == ["12:00 UTC", "15 Nov", "18 Oct 2025"]
    assert [moment(day, NOW) for day in days[:2]] == ["12:00:00", "15 Nov, 12:00:00"]
    assert [uncapital(words) for words in ("About 3 rows.", "SQLite sorts.", "")] == [
        "about 3 rows",
        "SQLite sorts",
        "",
    ]
    scan = Finding("full_scan", "bad", "Reads about 3 rows (2 KB).", "")
    assert costs(scan) == "about 3 rows (2 KB)"
    assert costs(Finding("temp_btree", "note", "Sorts 3 rows.", "")) == "3 rows"
    assert costs(Finding("missing_where", "note", "Reads 3 rows.", "")) == "reads 3 rows"
    assert short_line("blueprints/admin/lists.py:140") == "admin/lists.py:140"


@pytest.mark.parametrize(
    ("sql", "short"),
    [
        (COUNTING, "SELECT count(*) FROM feedback_submissions WHERE session_id = ? AND is_archived = ?"),
        (
            "SELECT feedback.id, feedback.public_id, feedback.description, feedback.status\nFROM feedback\n"
            "WHERE feedback.project_id = ? ORDER BY feedback.created_at DESC",
            "SELECT feedback … WHERE project_id = ? ORDER BY created_at DESC",
        ),
        (
            "select tag.id, tag.name, tag.colour, tag.position from tag join feedback_tag on tag_id = tag.id "
            "where feedback_tag.feedback_id = ?",
            "SELECT tag … JOIN feedback_tag ON … WHERE feedback_id = ?",
        ),
        (
            "SELECT a.one, a.two, b.three, c.four, c.five FROM a JOIN b ON a.b = b.id LEFT OUTER JOIN c ON 1 "
            "WHERE a.x = ?",
            "SELECT a … JOIN … WHERE x = ?",
        ),
        ("INSERT INTO feedback (id, status) VALUES (?, ?) RETURNING id", "INSERT INTO feedback … VALUES …"),
        (
            "UPDATE feedback SET status=?, seen=? WHERE feedback.id = ?",
            "UPDATE feedback SET status=?, … WHERE id = ?",
        ),
        ("DELETE FROM feedback WHERE feedback.id IN (?)", "DELETE FROM feedback WHERE id IN (?)"),
        ("SELECT x FROM (SELECT y FROM t) AS s", "SELECT x FROM (SELECT y FROM t) AS s"),
        ("BEGIN IMMEDIATE", "BEGIN IMMEDIATE"),
        ("", ""),
    ],
)
def test_a_statement_on_one_line(sql, short):
    assert brief(sql) == short


@pytest.mark.parametrize(
    ("sql", "set_in_lines"),
    [
        (
            COUNTING,
            [
                "SELECT count(*)",
                "FROM   feedback_submissions",
                "WHERE  session_id  = ?",
                "  AND  is_archived = ?",
            ],
        ),
        (
            "select a.x from a left outer join b on a.id = b.a and b.k between ? and ? or b.z is null",
            [
                "SELECT a.x",
                "FROM   a",
                "LEFT OUTER JOIN b ON a.id = b.a",
                "  AND  b.k BETWEEN ? AND ?",
                "   OR  b.z IS NULL",
            ],
        ),
        (
            "insert into d (a) values (?) on conflict (a) do update set a = excluded.a",
            ["INSERT INTO d (a)", "VALUES (?)", "ON CONFLICT (a) DO UPDATE SET a = excluded.a"],
        ),
    ],
)
def test_a_statement_set_in_lines(sql, set_in_lines):
    assert ["".join(piece.text for piece in line) for line in lines(sql)] == set_in_lines


def test_words_and_placeholders_are_marked():
    first, *_, last = lines(COUNTING)
    assert first[0].kind == "keyword"
    assert last[-1] == ("bound", "?")


SQL_PARTS = """
    SELECT FROM WHERE AND OR BETWEEN ORDER BY LIMIT JOIN ON ( ) , = ? %s :a 'x' "q" ' " -- /* INSERT INTO
    VALUES UPDATE SET DELETE WITH CONFLICT GROUP é \x00
"""
SQL_PART = st.sampled_from(SQL_PARTS.split())


@given(st.one_of(st.text(), st.lists(SQL_PART, max_size=40).map(" ".join)))
def test_any_text_is_shown_and_nothing_of_it_is_lost(sql):
    brief(sql)
    title(sql)
    shown = "".join(piece.text for line in lines(sql) for piece in line)
    if "." not in sql:  # a table's name before its column is left away
        assert "".join(shown.upper().split()) == "".join(sql.upper().split())


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (COUNTING, "Count submissions by session and archived"),
        ("SELECT id, x FROM projects ORDER BY name", "List projects"),
        ("SELECT x FROM users WHERE users.email = ?", "Find users by email"),
        ("SELECT sum(x) FROM daily_counts WHERE day >= ?", "Sum up the daily counts by day"),
        ("SELECT x FROM a JOIN s ON 1 WHERE s MATCH ? LIMIT ?", "Search a"),
        ("SELECT count(*) FROM (SELECT id FROM feedback_submissions) AS x", "Count submissions"),
        ("INSERT INTO api_tokens (id) VALUES (?)", "Add tokens"),
        ("UPDATE users SET x = ? WHERE public_id = ? AND y IS NOT NULL", "Change users by id and y"),
        ("DELETE FROM x_y WHERE a NOT IN (?)", "Delete x y by a"),
        ("PRAGMA data_version", "Run PRAGMA data_version"),
    ],
)
def test_a_statement_is_named_by_what_it_does(sql, words):
    assert title(sql).words == words


@pytest.mark.parametrize(
    ("sql", "doing"),
    [
        ("SELECT count(*) FROM a", "Counting a"),
        ("SELECT x FROM a LIMIT ?", "Listing a"),
        ("SELECT x FROM a", "Finding a"),
        ("SELECT x FROM a GROUP BY x", "Summing up a"),
        ("INSERT INTO a VALUES (?)", "Adding a"),
        ("UPDATE a SET x = ?", "Changing a"),
        ("DELETE FROM a", "Deleting a"),
        ("COMMIT", "Running COMMIT"),
    ],
)
def test_what_a_statement_does_can_begin_a_sentence(sql, doing):
    assert title(sql).doing == doing


def columns(*counts):
    return [Column(2.0**i, 2.0 ** (i + 1), count) for i, count in enumerate(counts)]


def test_a_histogram_is_drawn_to_scale():
    drawn = histogram(columns(10, 0, 40), timing(p95_ms=7))
    assert [bar.height for bar in drawn.bars] == [BARS_HEIGHT / 4, 0, BARS_HEIGHT]
    assert drawn.bars[-1].x + drawn.bars[-1].width <= 100
    assert [line.name for line in drawn.lines] == ["p50", "p95", "p99"]
    assert all(0 <= line.x <= 100 for line in drawn.lines)
    # p95 lies between 4 and 8 ms, 0.81 of the way on a logarithmic scale.
    assert drawn.lines[1].x == pytest.approx((2 + 0.807) * 100 / 3, abs=0.1)


def test_a_histogram_of_nothing_is_empty():
    assert histogram([], timing(count=0)).bars == ()


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_a_wide_histogram_is_folded_without_losing_a_run(counts):
    drawn = histogram(columns(*counts), timing()) if any(counts) else None
    if drawn:
        assert len(drawn.bars) <= MOST_COLUMNS
        assert sum(bar.count for bar in drawn.bars) == sum(counts)
        assert all(
            one.high_ms == other.low_ms for one, other in zip(drawn.bars, drawn.bars[1:], strict=False)
        )


def test_a_sparkline_reaches_from_the_least_to_the_most():
    assert sparkline([0, 5, 10]) == "0.0,19.0 50.0,10.0 100.0,1.0"
    assert sparkline([0, 0]) == "0.0,19.0 100.0,19.0"
    assert sparkline([1]) == ""


def test_the_worst_stands_first(addresses):
    with addresses:
        found = findings.worst_first(
            [
                *findings.of_spare([report()], 5000, WEEK, None),
                *findings.of_advice([advice()], [statement()], 200, None),
                *findings.of_repeats([route()], [statement("SELECT tag", "tag", avg_ms=0.4)], None),
                *findings.of_alerts([Alert("disk_database", "critical", "The disk is full.", NOW)], NOW),
            ]
        )
    assert [matter.level for matter in found] == ["urgent", "mend", "mend", "tidy"]
    assert [matter.kind for matter in found] == ["Alert", "Slow", "Repeats", "Spare"]


def test_an_index_brings_less_than_the_statement_takes_now(addresses):
    with addresses:
        (slow,) = findings.of_advice([advice()], [statement(avg_ms=25.0)], 200, None)
    assert slow.text.startswith("25 ms on average, ")
    assert "brings it to about 0.1 ms" in slow.text


def test_an_index_for_what_is_quick_and_rare_is_only_something_to_tidy(addresses):
    with addresses:
        (quick,) = findings.of_advice([advice()], [statement(slow=0, share=0.02, avg_ms=0.9)], 200, None)
        (frequent,) = findings.of_advice([advice()], [statement(slow=0, share=0.3, avg_ms=0.9)], 200, None)
    assert (quick.level, quick.kind, quick.tone) == ("tidy", "Index", "quiet")
    assert (frequent.level, frequent.kind, frequent.tone) == ("mend", "Slow", "bad")


def route(most=50):
    repeats = (
        Repeat("cheap", "SELECT x FROM cheap", "", 10, 6),
        Repeat("tag", "SELECT id FROM tag WHERE feedback_id = ?", "list.py:140", 20, most),
    )
    return RouteFigures("GET /admin/", timing(), 0, 54.0, 57, 16.0, repeats, NOW)


def test_what_is_wrong_is_said_with_cost_and_cure(addresses):
    with addresses:
        (slow,) = findings.of_advice([advice()], [statement()], 200, "7d")
        (repeats,) = findings.of_repeats([route()], [statement("SELECT tag", "tag", avg_ms=0.4)], None)
        (spare,) = findings.of_spare([report(), report("ix_b"), report("ix_c", "used")], 5000, WEEK, None)
    assert slow.title == "Counting submissions by session and archived reads the whole table"
    assert slow.text == (
        "50 ms on average, 155 ms at p95, 61 times over 200 ms. An index of 120 KB brings it to about "
        "0.2 ms; the planner was shown to use it."
    )
    assert slow.href == "/admin/performance/statements/c41f9a72aaaa?since=7d"
    assert repeats.title == "GET /admin/ asks 50 times to find tag by feedback"
    assert repeats.text == (
        "50 statements where one would do at list.py:140. Costs 20 ms a page. Load them together."
    )
    assert repeats.href.endswith("/routes#route-get--admin")
    assert spare.title == "Two indexes are never used"
    assert (
        spare.text == "ix_a, ix_b, 2 KB together; every insert pays. Seen over 7 days and 5,000 statements."
    )


def test_a_slow_statement_is_named_only_when_it_matters(addresses):
    with addresses:

        def named(**values):
            return bool(findings.of_slow([statement(**values)], [], 200, None))

        assert named()
        assert not named(share=0.01)
        assert not named(slow=2)
        assert not named(slow=4, count=3880)
        assert not findings.of_slow([statement()], [advice()], 200, None)


def test_of_many_slow_statements_two_are_named(addresses):
    with addresses:
        found = [statement(f"SELECT x FROM t{number}", str(number), slow=50) for number in range(5)]
        named = findings.of_slow(found, [], 200, "7d")
    assert [matter.title for matter in named[:2]] == ["Finding t0 is slow", "Finding t1 is slow"]
    assert named[2].title == "Three more statements are often slow"
    assert named[2].text == "150 times over 200 ms. No index would help."
    assert named[2].href == "/admin/performance/statements?sort=slow&since=7d"


def test_an_index_is_called_unused_only_once_enough_was_seen(addresses):
    with addresses:
        assert findings.of_spare([report()], 10, WEEK, None) == []
        assert findings.of_spare([report()], 5000, timedelta(hours=2), None) == []
        (one,) = findings.of_spare([report(), report("ix_d", "duplicate")], 10, WEEK, None)
    assert (one.title, "ix_d" in one.text, "ix_a" in one.text) == ("One index is not needed", True, False)


def test_errors_and_lost_records_are_told(addresses):
    with addresses:
        overview = Overview(NOW, timing(count=1000), 3, timing(), 0, 1, (), ())
        (errors,) = findings.of_errors(overview, None)
        (dropped,) = findings.of_dropped(4)
    assert (errors.title, errors.text[:5]) == ("3 requests could not be answered", "0.3 %")
    assert dropped.title == "4 runs could not be counted"
    assert findings.of_dropped(0) == []


@pytest.mark.parametrize(
    ("levels", "verdict"),
    [
        ((), "All well."),
        (("tidy",), "Well, with one thing to tidy."),
        (("mend", "tidy", "tidy"), "Well, with one thing to mend and two to tidy."),
        (("mend", "mend"), "Well, with two things to mend."),
        (("urgent",), "Not well: one thing cannot wait."),
        (("urgent", "urgent", "mend"), "Not well: two things cannot wait, with one thing to mend."),
    ],
)
def test_health_in_a_sentence(levels, verdict):
    found = [findings.Matter(level, 0, "", "", "", "", "", "", "") for level in levels]
    health = findings.health(found, 100, 18.2, 420 * 2**20, 426)
    assert health.verdict == verdict
    assert health.figures == "p95 is 18 ms, the database 420 MB, the disk full in about 14 months."


def test_health_of_what_nobody_asked():
    health = findings.health([], 0, 0, 2048, None)
    assert (health.verdict, health.figures) == ("Nothing was asked of it yet.", "The database 2 KB.")


def test_what_could_go_stands_first_among_the_indexes():
    rows = rows_of([report(verdict, verdict) for verdict in reversed(VERDICTS)])
    assert [row.report.verdict for row in rows] == list(VERDICTS)


def test_an_advised_index_is_set_in_lines_and_copied_as_a_migration():
    one = advice(columns=("session_id", "created_at desc"))
    shown = ["".join(piece.text for piece in line) for line in ddl_lines(one)]
    assert shown == [
        "CREATE INDEX ix_x",
        "ON feedback_submissions (session_id,",
        "                         created_at desc)",
    ]
    assert migration(one) == f"op.execute({one.ddl!r})"
    assert findings.columns_in_words(one) == "session and date"


def test_what_was_read_of_the_indexes_is_kept_for_a_minute_and_forgotten_on_demand():
    kept, view = LastViews(), IndexView((), ())
    assert kept.get("7d") is None
    kept.keep("7d", view)
    assert kept.get("7d") is view
    assert kept.get(None) is None
    kept.forget()
    assert kept.get("7d") is None


def test_csv_cells_cannot_run_in_a_spreadsheet():
    found = as_csv([statement("=cmd|' /C calc'!A0"), statement("SELECT '\"'")]).splitlines()
    assert "\"'=cmd|' /C calc'!A0\"" in found[1]
    assert '"SELECT \'""\'"' in found[2]


def test_the_start_of_a_process_is_marked_in_the_series():
    series = [Point(NOW + timedelta(hours=hour), 1, 0, 1, 1, 1) for hour in range(3)]
    began = NOW + timedelta(minutes=100)
    process = ProcessFigures("w", "web", 1, began, began, {}, 0, 0, 0)
    assert starts(series, [process], "0.1.0") == {series[1].start: "Earmark 0.1.0 started, 13:40 UTC"}
    assert starts(series, [], "0.1.0") == {}
    early = ProcessFigures("w", "web", 1, NOW - timedelta(days=2), NOW, {}, 0, 0, 0)
    assert starts(series, [early], "0.1.0") == {}
