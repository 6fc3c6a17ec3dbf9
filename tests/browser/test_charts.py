"""Charts: drawn from the table beside them, when they come into view, in the colours of the theme."""

import pytest

from tests.browser.probe import run, show, until

LIBRARY = "**/vendor/chart.js-*/*.js"
HEAD = '<script type="module" src="{base}js/admin/charts.js"></script>'

FIGURE = """<figure class="chart" data-chart="{kind}" data-chart-unit="ms" {more}>
<figcaption>Over the <b>day</b></figcaption><div class="chart__canvas"></div>
<details><summary>As a table</summary><table><thead><tr><th>Hour</th>{heads}</tr></thead>
<tbody>{rows}</tbody></table></details></figure>"""

# What a style sheet would do; the policy takes none of the test's own in the page.
LAY_OUT = """
const sheet = new CSSStyleSheet();
sheet.replaceSync('.chart__canvas { position: relative; block-size: 200px; inline-size: 600px } ' +
  '.far { margin-block-start: 4000px }');
document.addEventListener('DOMContentLoaded', () => { document.adoptedStyleSheets = [sheet]; });
"""

# How many pixels of a canvas have the colour of a token, whatever the way it is written.
COUNT_PIXELS = """([selector, token]) => {
  const canvas = document.querySelector(`${selector} canvas`);
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4)
    if (data[at] === r && data[at + 1] === g && data[at + 2] === b && data[at + 3] === 255) count += 1;
  return count;
}"""


def figure(rows, heads=("p50", "p95"), kind="line", more=""):
    """A figure as a page writes it; a row is (label, value, …)."""
    return FIGURE.format(
        kind=kind,
        more=more,
        heads="".join(f"<th>{head}</th>" for head in heads),
        rows="".join(
            f"<tr><th>{label}</th>" + "".join(f"<td>{value}</td>" for value in values) + "</tr>"
            for label, *values in rows
        ),
    )


ROWS = [("02:00", 24, 61), ("03:00", 26, 70), ("04:00", 22, 64), ("05:00", 28, 158)]


@pytest.fixture
def charts(server, open_page):
    """Open a page with charts on it; each must have kept to the policy and said no error."""
    opened = []

    def open_(body, **options):
        watched = open_page(**options)
        watched.page.add_init_script(LAY_OUT)
        watched.requested = []
        watched.page.on("request", lambda request: watched.requested.append(request.url))
        show(server, watched, body, HEAD)
        opened.append(watched)
        return watched

    yield open_
    for watched in opened:
        watched.assert_quiet()


def state(watched, expected, selector="figure"):
    watched.page.wait_for_selector(f'{selector}[data-chart-state="{expected}"]')


def pixels(watched, token, selector="figure"):
    return watched.page.evaluate(COUNT_PIXELS, [selector, token])


def asked_for_library(watched):
    return [url for url in watched.requested if "/vendor/chart.js-" in url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chart_is_drawn_in_the_colours_of_its_theme(charts, scheme):
    watched = charts(figure(ROWS), color_scheme=scheme)
    state(watched, "drawn")
    for token in ("--chart-2", "--chart-6", "--line"):
        assert pixels(watched, token) > 50, token
    assert pixels(watched, "--chart-3") == 0


def test_a_chart_follows_the_theme_when_it_changes(charts):
    watched = charts(figure(ROWS), color_scheme="light")
    state(watched, "drawn")
    light = watched.page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--chart-2')")
    watched.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    until(watched, f"({COUNT_PIXELS})(['figure', '--chart-2']) > 50")
    watched.page.emulate_media(color_scheme="dark")
    watched.page.evaluate("delete document.documentElement.dataset.theme")
    until(watched, f"({COUNT_PIXELS})(['figure', '--chart-6']) > 50")
    watched.page.evaluate("(old) => document.documentElement.style.setProperty('--chart-2', old)", light)
    assert pixels(watched, "--chart-2") == 0


def test_the_library_is_asked_for_when_the_first_chart_comes_into_view_and_once(charts):
    far = '<div class="far"></div>'
    watched = charts(far + figure(ROWS, more='id="a"') + figure(ROWS, more='id="b"'))
    state(watched, "waiting", "#a")
    watched.page.evaluate("new Promise((done) => requestIdleCallback(done))")
    assert asked_for_library(watched) == []
    watched.page.evaluate("document.querySelector('#a').scrollIntoView()")
    state(watched, "drawn", "#a")
    state(watched, "drawn", "#b")
    assert len(asked_for_library(watched)) == 1
    assert watched.page.evaluate("'Chart' in window") is False


@pytest.mark.parametrize("rows", [[], [("02:00", "–", "–")]], ids=["no rows", "only gaps"])
def test_a_chart_without_figures_is_left_to_its_page(charts, rows):
    watched = charts(figure(rows))
    state(watched, "empty")
    assert watched.page.locator("canvas").count() == 0
    assert asked_for_library(watched) == []


@pytest.mark.parametrize(
    "rows", [[("02:00", 5, 9)], [("02:00", 0, 0), ("03:00", 0, 0)]], ids=["one point", "noughts"]
)
def test_few_figures_are_drawn_too(charts, rows):
    watched = charts(figure(rows))
    state(watched, "drawn")
    assert pixels(watched, "--chart-2") + pixels(watched, "--chart-6") > 10


def test_bars_take_the_colours_that_the_page_names_in_the_order_of_the_series(charts):
    watched = charts(
        figure(ROWS, ("Bug", "Idea"), "bar", 'data-chart-colors="1 4" data-chart-stacked'),
        color_scheme="dark",
    )
    state(watched, "drawn")
    assert pixels(watched, "--chart-1") > 1000
    assert pixels(watched, "--chart-4") > 2 * pixels(watched, "--chart-1")
    assert pixels(watched, "--chart-2") == 0


def test_a_chart_says_what_it_shows_and_its_table_is_reached_by_the_keyboard(charts):
    watched = charts(figure(ROWS))
    state(watched, "drawn")
    watched.page.get_by_role("img", name="Chart: Over the day. The table has the same figures.").wait_for()
    watched.page.keyboard.press("Tab")
    watched.page.keyboard.press("Enter")
    assert watched.page.get_by_role("cell", name="158").is_visible()
    watched.assert_accessible()


def test_without_the_library_the_table_is_opened_and_the_next_chart_tries_again(server, open_page):
    watched = open_page()
    watched.page.add_init_script(LAY_OUT)
    watched.page.route(LIBRARY, lambda route: route.abort())
    show(server, watched, figure(ROWS, more='id="a"'), HEAD)
    state(watched, "failed", "#a")
    assert watched.page.get_by_role("cell", name="158").is_visible()
    assert watched.page.locator("canvas").count() == 0
    watched.page.unroute(LIBRARY)
    watched.page.evaluate(
        """(html) => {
          document.querySelector('main').insertAdjacentHTML('beforeend', html);
          document.dispatchEvent(new Event('htmx:after:swap'));
        }""",
        figure(ROWS, more='id="b"'),
    )
    state(watched, "drawn", "#b")


def test_a_chart_that_is_swapped_away_is_let_go_and_its_successor_drawn(charts):
    watched = charts(figure(ROWS, more='id="a"'))
    state(watched, "drawn", "#a")
    gone = watched.page.evaluate_handle("document.querySelector('#a canvas')")
    assert gone.evaluate("(canvas) => canvas.style.display === 'block'")
    watched.page.evaluate(
        """(html) => {
          document.querySelector('main').innerHTML = html;
          document.dispatchEvent(new Event('htmx:after:swap'));
        }""",
        figure([*ROWS, ("06:00", 1, 2)], more='id="b"'),
    )
    state(watched, "drawn", "#b")
    # Chart.js puts a canvas that it leaves back as it was: without a display of its own.
    assert not gone.evaluate("(canvas) => canvas.style.display === 'block'")


def test_a_chart_keeps_within_its_figure_when_the_window_shrinks(charts):
    watched = charts(figure(ROWS))
    state(watched, "drawn")
    watched.page.evaluate("document.querySelector('.chart__canvas').style.inlineSize = '300px'")
    until(watched, "Math.abs(document.querySelector('canvas').getBoundingClientRect().width - 300) < 1")


READ = """({read}, html) => {
  const holder = document.createElement('div');
  holder.innerHTML = html;
  return read(holder.querySelector('table'));
}"""


@pytest.fixture
def read_table(server, open_page):
    """Read the table of a figure as the module does, in a browser of one place."""
    watched = open_page(timezone_id="Europe/Stockholm", locale="en-GB")
    base = show(server, watched)
    return lambda html: run(watched, base, "admin/chart-table.js", READ, html)


def test_a_table_is_read_by_its_values_else_by_its_words(read_table):
    html = figure([("a", "1,234.5", "–"), ("b", "1 000 ms", "")], ("x", "y"))
    html = html.replace("<td>1,234.5", '<td data-value="7">1,234.5')
    found = read_table(html)
    assert found["labels"] == ["a", "b"]
    assert found["series"] == [{"name": "x", "values": [7, 1000]}, {"name": "y", "values": [None, None]}]


def test_moments_are_written_in_the_readers_time(read_table):
    moments = ["2026-11-21T23:30:00Z", "2026-11-22T00:30:00Z"]
    rows = [(f'<time datetime="{moment}">{moment}</time>', 1) for moment in moments]
    assert read_table(figure(rows, ("x",)))["labels"] == ["00:30", "01:30"]
    rows[0] = ('<time datetime="2026-11-02T23:30:00Z">earlier</time>', 1)
    assert read_table(figure(rows, ("x",)))["labels"] == ["3 Nov", "22 Nov"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.123456, "0.123 ms"),
        (18, "18 ms"),
        (99.96, "100 ms"),
        (154.9, "155 ms"),
        (41206.4, "41,206 ms"),
        (0, "0 ms"),
    ],
)
def test_figures_are_written_in_three_digits_or_in_all_before_the_point(server, open_page, value, words):
    watched = open_page()
    base = show(server, watched)
    assert (
        run(watched, base, "admin/chart-style.js", "({written}, value) => written(value, 'ms')", value)
        == words
    )


def test_marks_stand_at_their_points(read_table, charts):
    html = figure(ROWS).replace("<tr><th>04:00", '<tr data-mark="1.8.0 started"><th>04:00')
    assert read_table(html)["marks"] == [{"at": 2, "words": "1.8.0 started"}]
    plain, marked = charts(figure(ROWS)), charts(html)
    state(plain, "drawn")
    state(marked, "drawn")
    assert pixels(marked, "--ink-3") > pixels(plain, "--ink-3") + 50


def test_words_of_marks_that_stand_close_lie_in_rows_above_each_other(charts):
    plain = figure(ROWS)
    one = plain.replace("<tr><th>04:00", '<tr data-mark="1.8.0 started"><th>04:00')
    both = one.replace("<tr><th>02:00", '<tr data-mark="1.8.0 started"><th>02:00')
    drawn = [charts(html) for html in (plain, one, both)]
    for watched in drawn:
        state(watched, "drawn")
    none, single, double = (pixels(watched, "--ink-2") for watched in drawn)
    # The words of the second are all there, and cover none of the first.
    assert double - single == pytest.approx(single - none, rel=0.1)


def test_words_of_a_table_never_become_markup(charts):
    evil = "&lt;img src=x onerror=&quot;window.ran=1&quot;&gt;"
    watched = charts(figure([(evil, 1, 2), (evil, 3, 4)], (evil, evil)).replace("Over the", evil))
    state(watched, "drawn")
    watched.page.locator("canvas").hover()
    assert watched.page.locator(".chart__canvas img, figcaption img").count() == 0
    assert watched.page.evaluate("window.ran") is None
