"""The small modules by themselves in a real browser: debounce, throttle, idle, lazy; and what is vendored."""

import hashlib
from pathlib import Path

import pytest

from tests.browser.probe import run, show, until

VENDOR = Path("app/static/vendor")


@pytest.fixture
def page(server, open_page):
    """An empty page whose clock stands still, and what runs a script with a module in it."""
    watched = open_page()
    watched.page.clock.install(time=0)
    base = show(server, watched)
    watched.page.clock.pause_at(3600)
    yield lambda module, script: run(watched, base, module, script), watched
    watched.assert_quiet()


@pytest.fixture
def live_page(server, open_page):
    """Open a page with the browser's own clock; `without` names what that browser does not have."""

    def open_(body="", without=None):
        watched = open_page()
        if without:
            watched.page.add_init_script(f"delete window.{without}")
        base = show(server, watched, body)
        assert not without or watched.page.evaluate(f"!('{without}' in window)")
        return (lambda module, script: run(watched, base, module, script)), watched

    return open_


def calls(watched):
    return watched.page.evaluate("window.calls")


DEBOUNCED = "({debounce}) => { window.calls = []; window.soon = debounce((...a) => calls.push(a), 100); }"
THROTTLED = "({throttle}) => { window.calls = []; window.often = throttle((...a) => calls.push(a), 100); }"


def test_debounce_runs_once_with_the_last_arguments_when_the_calls_have_stopped(page):
    with_module, watched = page
    with_module("shared/debounce.js", DEBOUNCED)
    for number in range(5):
        watched.page.evaluate("(number) => soon(number, 'x')", number)
        watched.page.clock.run_for(99)
    assert calls(watched) == []
    watched.page.clock.run_for(1)
    assert calls(watched) == [[4, "x"]]
    watched.page.clock.run_for(1000)
    assert calls(watched) == [[4, "x"]]


def test_debounce_is_flushed_at_once_and_only_once(page):
    with_module, watched = page
    with_module("shared/debounce.js", DEBOUNCED)
    watched.page.evaluate("soon.flush(); soon(1); soon.flush(); soon.flush()")
    watched.page.clock.run_for(1000)
    assert calls(watched) == [[1]]


def test_debounce_forgets_what_was_cancelled_and_goes_on(page):
    with_module, watched = page
    with_module("shared/debounce.js", DEBOUNCED)
    watched.page.evaluate("soon(1); soon.cancel()")
    watched.page.clock.run_for(1000)
    assert calls(watched) == []
    watched.page.evaluate("soon(2)")
    watched.page.clock.run_for(100)
    assert calls(watched) == [[2]]


def test_throttle_runs_at_once_and_then_at_most_once_a_span_with_the_last_arguments(page):
    with_module, watched = page
    with_module("shared/throttle.js", THROTTLED)
    watched.page.evaluate("often(0)")
    assert calls(watched) == [[0]]
    for number in range(1, 10):
        watched.page.clock.run_for(25)
        watched.page.evaluate("(number) => often(number)", number)
    watched.page.clock.run_for(1000)
    assert calls(watched) == [[0], [3], [7], [9]]


def test_throttle_runs_at_once_again_after_a_pause(page):
    with_module, watched = page
    with_module("shared/throttle.js", THROTTLED)
    watched.page.evaluate("often(1)")
    watched.page.clock.run_for(100)
    watched.page.evaluate("often(2)")
    assert calls(watched) == [[1], [2]]


def test_throttle_forgets_what_was_cancelled(page):
    with_module, watched = page
    with_module("shared/throttle.js", THROTTLED)
    watched.page.evaluate("often(1); often(2); often.cancel()")
    watched.page.clock.run_for(1000)
    assert calls(watched) == [[1]]


IN_ORDER = """({whenIdle}) => new Promise((done) => {
  const order = [];
  const note = (name) => () => order.push(name);
  whenIdle(() => done(order), 'low');
  whenIdle(note('low'), 'low');
  whenIdle(note('normal 1'));
  const back = whenIdle(note('taken back'));
  whenIdle(note('high 1'), 'high');
  whenIdle(note('normal 2'), 'normal');
  whenIdle(note('high 2'), 'high');
  order.push('page');
  back();
})"""


@pytest.mark.parametrize("without", [None, "requestIdleCallback"])
def test_idle_work_runs_later_the_urgent_first_and_in_turn(live_page, without):
    with_module, watched = live_page(without=without)
    order = with_module("shared/idle.js", IN_ORDER)
    assert order[:5] == ["page", "high 1", "high 2", "normal 1", "normal 2"]
    assert "taken back" not in order
    watched.assert_quiet()


@pytest.mark.parametrize("without", [None, "requestIdleCallback"])
def test_idle_work_that_fails_is_reported_and_does_not_stop_the_rest(live_page, without):
    with_module, watched = live_page(without=without)
    script = """({whenIdle}) => new Promise((done) => {
      whenIdle(() => { throw new Error('broken task'); }, 'high');
      whenIdle(() => done('went on'));
    })"""
    assert with_module("shared/idle.js", script) == "went on"
    assert [error for error in watched.errors if "broken task" in error]


@pytest.mark.parametrize("without", [None, "requestIdleCallback"])
def test_idle_work_lets_the_page_in_between(live_page, without):
    """Forty tasks of 10 ms are 400 ms; a task of the page does not wait for the last of them."""
    with_module, _ = live_page(without=without)
    script = """({whenIdle}) => new Promise((done) => {
      let ran = 0;
      const busy = () => { const end = performance.now() + 10; while (performance.now() < end); ran += 1; };
      for (let n = 0; n < 40; n++) whenIdle(busy);
      whenIdle(() => setTimeout(() => done(ran)), 'high');
    })"""
    assert with_module("shared/idle.js", script) < 40


def test_idle_work_added_by_idle_work_runs_too(live_page):
    with_module, _ = live_page()
    script = "({whenIdle}) => new Promise((done) => whenIdle(() => whenIdle(() => done('both'))))"
    assert with_module("shared/idle.js", script) == "both"


FAR = '<p id="near">near</p><p id="between">between</p><div id="far">far</div>'
# Stands by CSSOM, for the policy allows no style in the page.
WATCH_BOTH = """({whenVisible}) => {
  document.getElementById('between').style.blockSize = '4000px';
  window.seen = [];
  for (const id of ['far', 'near']) whenVisible(document.getElementById(id), () => seen.push(id));
}"""


def test_lazy_work_waits_for_its_element_and_runs_once(live_page):
    with_module, watched = live_page(FAR)
    with_module("shared/lazy.js", WATCH_BOTH)
    # The browser tells of both in one go, so what it did not say by now is not in view.
    until(watched, "seen.length > 0")
    assert watched.page.evaluate("seen") == ["near"]
    watched.page.evaluate("document.getElementById('far').scrollIntoView()")
    until(watched, "seen.includes('far')")
    watched.page.evaluate("scrollTo(0, 0)")
    watched.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert watched.page.evaluate("seen") == ["near", "far"]
    watched.assert_quiet()


def test_lazy_work_begins_a_little_before_its_element_is_seen(live_page):
    with_module, watched = live_page(FAR)
    with_module("shared/lazy.js", WATCH_BOTH)
    watched.page.evaluate(
        "scrollTo(0, document.getElementById('far').getBoundingClientRect().top - innerHeight - 150)"
    )
    until(watched, "seen.includes('far')")
    assert watched.page.evaluate("document.getElementById('far').getBoundingClientRect().top > innerHeight")


def test_lazy_work_that_was_taken_back_does_not_run(live_page):
    with_module, _ = live_page('<p id="one">one</p><p id="other">other</p>')
    script = """({whenVisible}) => new Promise((done) => {
      const seen = [];
      whenVisible(document.getElementById('one'), () => seen.push('one'))();
      whenVisible(document.getElementById('other'), () => requestAnimationFrame(() => done(seen)));
    })"""
    assert with_module("shared/lazy.js", script) == []


def test_lazy_work_of_a_closed_part_waits_until_it_is_opened(live_page):
    inside = '<details><summary>More</summary><p id="far">inside</p></details><p id="between"></p>'
    with_module, watched = live_page('<p id="near">near</p>' + inside)
    with_module("shared/lazy.js", WATCH_BOTH)
    until(watched, "seen.length > 0")
    assert watched.page.evaluate("seen") == ["near"]
    watched.page.get_by_text("More").click()
    until(watched, "seen.includes('far')")


def test_lazy_work_runs_when_idle_where_the_browser_cannot_tell(live_page):
    with_module, watched = live_page(FAR, without="IntersectionObserver")
    with_module("shared/lazy.js", WATCH_BOTH)
    until(watched, "seen.length === 2")
    watched.assert_quiet()


def test_vendored_files_are_those_that_were_released_and_bring_their_licence():
    written = dict(
        reversed(line.split("  ")) for line in (VENDOR / "CHECKSUMS").read_text("utf-8").splitlines()
    )
    code = {
        str(path.relative_to(VENDOR)): path for path in VENDOR.glob("*/*") if path.suffix in (".js", ".mjs")
    }
    assert written == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in code.items()}
    for path in code.values():
        assert (path.parent / "LICENSE").stat().st_size > 500
